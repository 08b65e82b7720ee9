"""The trainer's settings: the only place that reads the environment.

Imports nothing of the project. Names not known here are ignored: a trainer
started by the server inherits the server's environment.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_name() -> str:
    host = "".join(
        char if char.isalnum() or char in "._-" else "-" for char in socket.gethostname()
    )
    return f"trainer-{host}"[:100]


class WorkerSettings(BaseSettings):
    """Settings of one trainer process; command-line options come before the environment."""

    model_config = SettingsConfigDict(
        env_prefix="BOWERBIRD_TRAINER__", frozen=True, extra="ignore", populate_by_name=True
    )

    server: AnyHttpUrl = Field(
        default=AnyHttpUrl("http://127.0.0.1:8000"), description="Address of the Bowerbird server."
    )
    work: Path = Field(
        default=Path("data/trainer"),
        description="Folder of downloaded blobs and cached features; may be deleted at any time.",
    )
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,100}$")] = Field(
        default_factory=_default_name,
        description="Name of this worker; each running process adds a suffix of its own.",
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        validation_alias=AliasChoices("token", "BOWERBIRD_TOKEN"),
        description="Token of the server's API.",
    )
    claim_wait_s: float = Field(
        default=20, ge=0, le=20, description="Seconds a request for a job may wait at the server."
    )
    max_backoff_s: float = Field(
        default=15, gt=0, le=600, description="Longest pause between attempts to reach the server."
    )
    rest_s: float = Field(
        default=300,
        ge=0,
        description="Idle seconds after a job until the process starts anew, to give back the "
        "gigabyte that torch holds.",
    )
    download_threads: int = Field(
        default=8, ge=1, le=64, description="Blobs fetched at once; more helps on slow links only."
    )
    batch_size: int = Field(
        default=16, ge=1, le=512, description="Images per step; more does not speed up a CPU."
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="Threads of the arithmetic; 0 = one per core."
    )
    max_blobs_bytes: int = Field(
        default=20 << 30,
        ge=0,
        description="Size of the folder of blobs above which the longest unused ones are deleted.",
    )
    max_pictures_bytes: int = Field(
        default=4 << 30,
        ge=0,
        description="Size of the file of pictures at training size; those beyond it are decoded "
        "anew each time.",
    )
