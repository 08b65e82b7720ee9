"""Use cases. They own the transaction; no SQL text, no HTTP."""
