"""Where the server is and how to be let in: what the client reads of the environment.

May import ``server.config`` (names of the prefix and the file). pydantic-settings costs 0.2 s to
import, so this module is loaded by ``session.connect`` and not with the command line.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from server.client.errors import ClientError, MissingTokenError
from server.config import PREFIX, Settings

TOKEN_FILE = "token"  # noqa: S105 - the name of a file
# A token is under a hundred characters; a larger file is something else and not worth sending.
MAX_TOKEN_BYTES = 4096


def _check_address(value: str) -> str:
    """Require http(s) and no trailing slash, so that paths can be appended."""
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


class _DataFromFile(TomlConfigSettingsSource):
    """Takes ``data`` alone from ``bowerbird.toml``: the rest of that file is the server's."""

    @override
    def __call__(self) -> dict[str, object]:
        return {name: value for name, value in super().__call__().items() if name == "data"}


class ClientSettings(BaseSettings):
    """The client's settings: ``BOWERBIRD_SERVER``, ``BOWERBIRD_TOKEN``, ``BOWERBIRD_DATA``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        toml_file=Settings.model_config.get("toml_file"),
        extra="ignore",  # the other names under the prefix are the server's and the trainer's
        frozen=True,
    )

    server: Annotated[str, AfterValidator(_check_address)] = Field(
        default="http://127.0.0.1:8000", description="Address of the running server."
    )
    token: SecretStr | None = Field(
        default=None,
        description="Token to send; by default the one `serve` leaves in its data folder.",
    )
    data: Path = Field(
        default=Path("data"), description="Data folder of the server, for its token."
    )

    @classmethod
    def load(
        cls, data: Path | None = None, server: str | None = None, token: str | None = None
    ) -> Self:
        """Read the settings; what is given wins over the environment.

        Raises:
            ClientError: A value is not usable.
        """
        values = {"data": data, "server": server, "token": token}
        try:
            return cls(**{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type] # validated by pydantic
        except ValidationError as error:
            first = error.errors()[0]
            name = f"{PREFIX}{first['loc'][0]}".upper()
            raise ClientError(f"{name} is not usable: {first['msg']}.") from error

    def read_token(self) -> str:
        """Return the token from the environment or the data folder.

        Raises:
            MissingTokenError: There is none.
        """
        if self.token is not None:
            return self.token.get_secret_value()
        path = self.data / TOKEN_FILE
        try:
            with path.open("rb") as file:
                content = file.read(MAX_TOKEN_BYTES + 1)
        except OSError as error:
            raise MissingTokenError(str(path), f"can't be read ({error.strerror})") from error
        token = content.decode("ascii", errors="replace").strip()
        if not token or len(content) > MAX_TOKEN_BYTES or not token.isascii():
            raise MissingTokenError(str(path), "holds no token")
        return token

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources as the server does: arguments, environment, file."""
        return init_settings, env_settings, _DataFromFile(settings_cls)
