"""Bowerbird's server. Empty on purpose: importing ``server.contract`` loads nothing else."""
