"""Loops that run beside the API. May import services."""
