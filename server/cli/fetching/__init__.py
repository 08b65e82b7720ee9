"""The downloader alone: a list of addresses, a folder of images, a table of outcomes. No server."""
