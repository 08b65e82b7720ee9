"""Outgoing HTTP: addresses, the address guard and the fetcher. No database, no image bytes."""
