"""Requests and responses that are not in the contract, one file per resource."""
