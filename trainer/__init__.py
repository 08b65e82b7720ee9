"""Bowerbird's trainer: claims jobs from a server, trains, and sends bundles back.

A process of its own and a client of the server's REST API; of the server's code it knows the
contract alone.
"""
