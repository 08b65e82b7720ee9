"""Finding datasets and labels by the names that people use. May import ``client``, ``views``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from server.cli.errors import CommandError
from server.client.bowerbird import Bowerbird
from server.client.dataset import DatasetClient
from server.client.errors import ProblemError
from server.client.transport import Client
from server.client.views import Dataset, Label

_CONFLICT = 409


def find_dataset(client: Client, name: str) -> Dataset | None:
    """Return the dataset of this name, or of this id; ``None`` when there is none."""
    name = " ".join(name.split())  # as the server keeps names
    by_id = None
    for dataset in client.pages("/datasets", Dataset):
        if dataset.name == name:
            return dataset
        if dataset.id == name:
            by_id = dataset
    return by_id


def get_dataset(client: Client, name: str) -> Dataset:
    """Return the dataset of this name, or of this id.

    Raises:
        CommandError: There is none; the advice names those that come near.
    """
    found = find_dataset(client, name)
    if found is not None:
        return found
    names = [dataset.name for dataset in client.pages("/datasets", Dataset)]
    near = difflib.get_close_matches(name, names, n=3) or names[:5]
    known = ", ".join(f"`{one}`" for one in near) or "none yet"
    raise CommandError(
        f"There is no dataset `{name}`.", f"There is: {known}. All: `bowerbird dataset list`."
    )


def open_dataset(bird: Bowerbird, name: str) -> DatasetClient:
    """Return the dataset of this name, or of this id, to work with.

    Raises:
        CommandError: There is none; the advice names those that come near.
    """
    return DatasetClient(bird.transport, get_dataset(bird.transport, name).id)


def create_dataset(client: Client, name: str, description: str | None) -> Dataset:
    """Make a dataset.

    Raises:
        ProblemError: The name is taken or not allowed.
    """
    body = {"name": name} if description is None else {"name": name, "description": description}
    return client.post("/datasets", Dataset, body)


def ensure_labels(client: Client, dataset_id: str, names: Iterable[str]) -> None:
    """Make the labels that the dataset lacks.

    Raises:
        CommandError: A name is not allowed as a label.
    """
    path = f"/datasets/{dataset_id}/labels"
    there = {label.name for label in client.pages(path, Label)}
    for name in sorted(set(names) - there):
        try:
            client.post(path, Label, {"name": name})
        except ProblemError as error:
            # Somebody made it in between, which is as good.
            if error.status != _CONFLICT:
                raise
