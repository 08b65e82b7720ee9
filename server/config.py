"""Settings: every number a person may turn, with its bounds and the reason for its default.

Imports nothing of the project. Built once, by ``server.assembly`` or the command line, and passed
down as values; no other module reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

PREFIX = "BOWERBIRD_"
DELIMITER = "__"
# Read by the command line's client and by the trainer, not by the server.
OTHERS = ("BOWERBIRD_SERVER", "BOWERBIRD_TOKEN")
OTHERS_PREFIX = "BOWERBIRD_TRAINER__"


class UnknownSettingError(ValueError):
    """The environment holds a name under our prefix that is no setting: most likely a slip."""


def _split(value: object) -> object:
    """Read ``a,b`` as a list: kinder to a shell than JSON."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], NoDecode]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(_Group):
    """Where the server listens and whom it answers."""

    host: str = Field("127.0.0.1", description="Address to listen on. Loopback: one person's tool.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 lets the system choose.")
    host_names: Names = Field(
        (),
        description="Further `Host` names to answer to, comma-separated, beside loopback "
        "(behind a proxy, or in a compose network).",
    )
    max_json_bytes: int = Field(
        4 * 1024**2, ge=1024, description="Cap of a JSON body: 1,000 candidates need about 1 MiB."
    )
    max_bundle_bytes: int = Field(
        512 * 1024**2, ge=1024**2, description="Cap of an uploaded bundle: convnext_tiny is 110 MB."
    )

    max_import_bytes: int = Field(
        4 * 1024**3,
        ge=1024,
        description="Cap of an imported zip, tar or CSV, on disk meanwhile: 20,000 photos.",
    )

    _split_names = field_validator("host_names", mode="before")(_split)


class FetchSettings(_Group):
    """How images are downloaded, and the caps that no image may exceed."""

    allowed_hosts: Names = Field(
        (),
        description="Hosts exempt from the address guard, comma-separated, `host` or `host:port`. "
        "Everything private is refused by default.",
    )
    concurrency: int = Field(
        64, ge=1, le=256, description="Requests in flight; beyond 64 only memory grows."
    )
    per_host: int = Field(8, ge=1, le=64, description="Requests in flight to one host.")
    pace_s: float = Field(
        0.0, ge=0, le=60, description="Least seconds between two requests to one host; 0 for none."
    )
    max_waiting: int = Field(
        1024,
        ge=16,
        le=100_000,
        description="Images claimed ahead of their turn: a second or two of work at full speed.",
    )
    max_attempts: int = Field(
        4,
        ge=1,
        le=20,
        description="Tries of one image, when a fault may pass (429, 5xx, time-out).",
    )
    backoff_s: float = Field(
        2.0, gt=0, le=600, description="Seconds before the second try; doubles with each further."
    )
    max_backoff_s: float = Field(
        300.0,
        gt=0,
        le=86_400,
        description="Longest pause before a try, and the most that a `Retry-After` is heeded.",
    )
    max_body_bytes: int = Field(
        256 * 1024**2,
        ge=1024**2,
        description="Memory for images being received and decoded: 64 of 4 MiB.",
    )
    batch_rows: int = Field(
        500, ge=1, le=10_000, description="Images recorded in one transaction, at most."
    )
    batch_s: float = Field(
        0.1, gt=0, le=10, description="Seconds that an image waits for others of its batch."
    )
    decode_threads: int = Field(
        2, ge=1, le=16, description="Threads that decode; Pillow releases the GIL."
    )
    max_bytes: int = Field(20 * 1024**2, ge=1024, description="Largest image in bytes.")
    max_pixels: int = Field(
        50_000_000, ge=1024, description="Largest image in pixels; an 8192² WebP takes 1 GB."
    )
    min_side_px: int = Field(16, ge=1, description="Smaller images are icons and trackers.")
    total_s: float = Field(30.0, gt=0, le=600, description="Seconds for one image, all hops.")
    connect_s: float = Field(10.0, gt=0, le=120, description="Seconds to connect.")
    idle_s: float = Field(10.0, gt=0, le=120, description="Seconds between two reads.")
    max_redirects: int = Field(
        5, ge=0, le=20, description="Redirects followed; browsers stop at 20."
    )
    contact: str = Field(
        "",
        max_length=200,
        pattern=r"^[ -~]*$",  # it becomes a header
        description="Put into the User-Agent for webmasters; plain ASCII.",
    )
    respect_opt_out: bool = Field(
        True,
        description="Refuse images whose site asks not to train on them: `noai`, `train-ai=n`, "
        "`tdm-reservation`, its `robots.txt`.",
    )
    robots_txt: Literal["off", "named", "all"] = Field(
        "named",
        description="Rules of a site's `robots.txt` that are heeded: those for `bowerbird` by name "
        "and, of those for everybody, what they say on training (`named`); those for everybody "
        "too, as by a crawler (`all`); none (`off`).",
    )

    _split_hosts = field_validator("allowed_hosts", mode="before")(_split)


class TrainingSettings(_Group):
    """The trainer that runs beside the server, and the leases of all trainers."""

    enabled: bool = Field(True, description="Start a trainer as a child process.")
    lease_s: float = Field(
        30.0, ge=2, le=3600, description="A job whose worker is silent this long is given on."
    )
    token_file: Path | None = Field(
        None,
        description="Leave a token for trainers elsewhere in this file, made when it is not there.",
    )
    max_attempts: int = Field(
        3, ge=1, le=10, description="Claims of one job before it fails: a crash may repeat."
    )


class InferenceSettings(_Group):
    """How models answer."""

    threads: int = Field(
        2, ge=1, le=64, description="Threads of onnxruntime; two answer in 4 ms on a laptop."
    )
    at_once: int = Field(
        3,
        ge=1,
        le=64,
        description="Images answered at the same time: one a core, and one more, so that no core "
        "waits for the next to be handed over.",
    )
    max_waiting: int = Field(
        256,
        ge=64,
        le=100_000,
        description="Images that are let in to be answered, of all clients: some two seconds of "
        "work on two cores. Beyond it the answer is 503 with `Retry-After`.",
    )
    max_waiting_per_client: int = Field(
        128,
        ge=64,
        le=100_000,
        description="Those of one token, so that none can fill the server; a batch has up to 64.",
    )
    max_body_bytes: int = Field(
        256 * 1024**2,
        ge=1024**2,
        description="Memory for images sent to be answered: 64 photos of 4 MB; half for one token.",
    )
    max_loaded_models: int = Field(
        3, ge=1, le=32, description="Models kept in memory; each is about 50 MB for Lite0."
    )
    max_loaded_bytes: int = Field(
        1024**3,
        ge=1024**2,
        description="Memory for loaded models; the one in use stays, however large.",
    )


class PredictionLogSettings(_Group):
    """What is kept of what models are asked."""

    mode: Literal["off", "counts", "images"] = Field(
        "off",
        description="What is kept of answers: nothing (`off`), how often each label was given on a "
        "day and how surely (`counts`), or also every image (`images`). Never who asked.",
    )
    keep_days: int = Field(
        30, ge=1, le=3650, description="Days after which a kept image and its answer are deleted."
    )
    max_count: int = Field(
        10_000, ge=1, le=1_000_000, description="Answers kept with their image; the oldest go."
    )
    max_bytes: int = Field(
        1024**3, ge=1024**2, description="Disk for images of answers; the oldest go."
    )


class LinkSettings(_Group):
    """What visitors of public links may send."""

    max_image_bytes: int = Field(
        8 * 1024**2,
        ge=64 * 1024,
        description="Largest image of a visitor in bytes: a phone's photo; owners may send more.",
    )


class Settings(BaseSettings):
    """All settings. Environment ``BOWERBIRD_…`` wins over ``bowerbird.toml``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        toml_file="bowerbird.toml",
        extra="forbid",
        frozen=True,
    )

    data: Path = Field(Path("data"), description="Folder of the database and all files.")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy address; by default SQLite in the data folder."
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least level that is logged."
    )
    http: HttpSettings = HttpSettings()
    fetch: FetchSettings = FetchSettings()
    training: TrainingSettings = TrainingSettings()
    inference: InferenceSettings = InferenceSettings()
    prediction_log: PredictionLogSettings = PredictionLogSettings()
    links: LinkSettings = LinkSettings()

    @property
    def resolved_database_url(self) -> str:
        """Return the async SQLAlchemy address of the database."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.data / 'bowerbird.db').absolute()}"

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
        """Order the sources: arguments, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@dataclass(frozen=True)
class Folders:
    """The data folder and what lies in it."""

    root: Path

    def make(self, name: str) -> Path:
        """Return a folder in the data folder, made if new."""
        path = self.root / name
        # Captures record what a person looks at: for others on this machine to leave alone.
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def inherited_environment() -> dict[str, str]:
    """Return the process's environment, for a child."""
    return dict(os.environ)


def setting_names() -> Iterator[tuple[str, str]]:
    """Yield every setting as (environment name, description)."""
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, _Group):
            for inner, inner_field in group.model_fields.items():
                yield f"{PREFIX}{name}{DELIMITER}{inner}".upper(), inner_field.description or ""
        else:
            yield f"{PREFIX}{name}".upper(), field.description or ""


def load_settings(**overrides: object) -> Settings:
    """Build the settings from arguments, environment and ``bowerbird.toml``.

    Args:
        overrides: Fields of ``Settings``; groups as dicts, merged over the environment.

    Raises:
        UnknownSettingError: A name under our prefix is no setting.
        pydantic.ValidationError: A value is out of its bounds.
    """
    known = {name for name, _ in setting_names()} | set(OTHERS)
    for name in sorted(os.environ):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known and not upper.startswith(OTHERS_PREFIX):
            raise UnknownSettingError(f"{name} is no setting of Bowerbird; see docs/settings.md")
    return Settings(**overrides)  # type: ignore[arg-type] # validated by pydantic
