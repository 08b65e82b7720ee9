"""``python -m server`` is the command ``bowerbird``. May import ``server.cli``."""

from __future__ import annotations

from server.cli.app import main

if __name__ == "__main__":
    main()
