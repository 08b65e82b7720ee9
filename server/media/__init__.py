"""Bytes of images: verification, digests and the content-addressed stores. No database."""
