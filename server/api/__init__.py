"""HTTP only: the one place of fastapi and starlette, beside ``main``. May import services."""
