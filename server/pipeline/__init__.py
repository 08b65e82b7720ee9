"""From an address to a verified file, at full speed and within bounds. No database, no HTTP routes.

Used by the server (source and sink over its database) and by the plain downloader (a list of
addresses and a folder).
"""
