"""As what a snapshot leaves the server: the names of the formats, and of their files.

Imports nothing of the project.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ExportFormat(StrEnum):
    """As what a snapshot may leave."""

    FOLDER = "folder"
    WEBDATASET = "webdataset"
    HF = "hf"
    CSV = "csv"
    PARQUET = "parquet"
    CROISSANT = "croissant"
    DATASHEET = "datasheet"


# How the name of a file ends; with the dot.
ENDINGS: Final = {
    ExportFormat.FOLDER: ".zip",
    ExportFormat.WEBDATASET: ".tar",
    ExportFormat.HF: ".hf.zip",
    ExportFormat.CSV: ".csv",
    ExportFormat.PARQUET: ".parquet",
    ExportFormat.CROISSANT: ".croissant.json",
    ExportFormat.DATASHEET: ".md",
}
