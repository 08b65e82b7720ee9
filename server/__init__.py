"""Bowerbird's server: API, downloads, registry and inference. Empty on purpose: see STYLE of layers in docs/architecture.md."""
