"""The command line. The top layer: it may import everything of ``server``.

``bowerbird --help`` and the verbs that talk to a running server must start at once, so whatever
is heavy (``server.main``, the database, onnxruntime, pydantic-settings) is imported inside the
function that needs it. Each such import carries a ``noqa: PLC0415`` with its reason.
"""
