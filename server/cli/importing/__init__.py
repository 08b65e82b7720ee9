"""Reading a folder, an archive or a list of addresses, and sending it to the server."""
