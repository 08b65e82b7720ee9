"""Pretrained networks: which there are, their weights, and their parts."""
