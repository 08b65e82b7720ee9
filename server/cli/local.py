"""The server's settings, for the verbs that work on this machine. May import ``server.config``.

Imported by the verbs only when they run: pydantic-settings takes 0.2 s.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from server.cli.errors import CommandError
from server.config import Settings, UnknownSettingError, load_settings


def load(data: Path | None, **groups: dict[str, object]) -> Settings:
    """Build the settings from options, environment and ``bowerbird.toml``.

    Args:
        data: The data folder, when the person gave one.
        groups: Groups of settings (``http``, ``training``) with the members given as options.

    Raises:
        CommandError: A setting is unknown or out of bounds.
    """
    overrides: dict[str, object] = {name: group for name, group in groups.items() if group}
    if data is not None:
        overrides["data"] = data
    try:
        return load_settings(**overrides)
    except ValidationError as error:
        parts = (f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise CommandError(f"The settings are not usable: {'; '.join(parts)}.") from error
    except (UnknownSettingError, SettingsError) as error:
        raise CommandError(f"{error}.") from error
