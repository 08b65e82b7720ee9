"""Models beside the live one: who is answered by which, and asking the other one afterwards.

No answer waits for the other model. What is to be compared waits in memory, up to a bound, until
nobody asks for a moment, or for a while but no question is waiting for a turn. Then it is decoded
again and answered, one image at a time, by a thread that stands back behind all others. What does
not fit is counted and not compared.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.contract.errors import FormatError
from server.db.models import ModelRecord
from server.db.session import Database
from server.inference.pool import CpuPool
from server.inference.registry import Bounds, Registry
from server.inference.session import NetworkError, Prediction
from server.inference.turns import Turns
from server.media.verify import NotUsableError, VerifyLimits
from server.repositories import rollouts
from server.repositories.rollouts import Counts
from server.services.models import BundleStore
from server.services.seeing import see

log = logging.getLogger(__name__)

_MOST_WAITING: Final = 64  # a second or two of one core
_MOST_WAITING_BYTES: Final = 32 << 20  # photos of 0.5 MB
# Of images: one that is shown again and again says nothing new, and would pass for many.
_MOST_KNOWN: Final = 20_000
_MOST_TALLIED: Final = 200  # disagreements between two writes; the counts have them all
_NICENESS: Final = 19  # the most there is: a lone question has its processor
# One of a rollout and the live one of another: more would only hold memory.
_MODELS: Final = 2
_QUIET_S: Final = 0.02  # more than a client needs between an answer and its next question
_PATIENCE_S: Final = 0.25
_PLACES: Final = 10_000  # of clients: a share is told to a hundredth of a percent


@dataclass(frozen=True)
class Pairing:
    """A model that is to be asked what another has answered.

    Attributes:
        other: Which.
        is_live_other: Whether it is the live one, and the limited one has answered.
    """

    rollout_id: str
    other: ModelRecord
    is_live_other: bool


@dataclass(frozen=True)
class Route:
    """Which model answers, and which are asked the same afterwards."""

    model: ModelRecord
    pairings: Sequence[Pairing] = ()


@dataclass(frozen=True)
class Given:
    """An answer that was given.

    Attributes:
        prediction_id: Under which the log keeps it; None when it does not.
    """

    prediction: Prediction
    sha256: str
    prediction_id: str | None
    is_mirrored: bool


@dataclass(frozen=True)
class Disagreement:
    """A question that the two answered differently."""

    sha256: str
    prediction_id: str | None
    live: Prediction
    model: Prediction


@dataclass
class Tally:
    """What was compared of a rollout since it was last written down."""

    compared: int = 0
    agreed: int = 0
    live_abstained: int = 0
    model_abstained: int = 0
    not_compared: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        """The numbers alone."""
        return Counts(
            self.compared,
            self.agreed,
            self.live_abstained,
            self.model_abstained,
            self.not_compared,
        )

    def add(self, disagreement: Disagreement) -> None:
        """Count a pair of answers; keep it if they differ."""
        live, model = disagreement.live, disagreement.model
        self.compared += 1
        self.live_abstained += live.abstained
        self.model_abstained += model.abstained
        if live.label == model.label:
            self.agreed += 1
        elif len(self.disagreements) < _MOST_TALLIED:
            self.disagreements.append(disagreement)


@dataclass(frozen=True)
class _Open:
    """A rollout that goes on."""

    id: str
    is_limited: bool
    share: float
    sites: tuple[str, ...]
    model: ModelRecord
    live: ModelRecord

    def takes(self, client: str, site: str | None) -> bool:
        """Return whether the limited model answers this client, or for this page's host."""
        if site is not None and any(site == one or site.endswith(f".{one}") for one in self.sites):
            return True
        return place_of(self.id, client) < self.share


@dataclass(frozen=True)
class _Waiting:
    pairing: Pairing
    given: Given
    data: bytes


def place_of(rollout_id: str, client: str) -> float:
    """Return where a client stands in a rollout, 0 to below 1: the same each time.

    Who is taken at a share is taken at every larger one. Another rollout orders them anew, so that
    the same clients do not get every trial.
    """
    digest = hashlib.sha256(f"{rollout_id}\n{client}".encode()).digest()
    return int.from_bytes(digest[:8]) % _PLACES / _PLACES


class Beside:
    """Routes questions, and asks other models the same. For one event loop."""

    def __init__(
        self,
        database: Database,
        bundles: BundleStore,
        turns: Turns,
        limits: VerifyLimits,
        max_bytes: int,
    ) -> None:
        """Keep what it needs.

        Args:
            database: Says which rollouts go on.
            bundles: Where models lie.
            turns: Of those who ask; nothing is compared while somebody waits for one.
            limits: What is taken for an image.
            max_bytes: Memory for the models that are asked beside.
        """
        self._database = database
        self._bundles = bundles
        self._turns = turns
        self._limits = limits
        # Apart from what answers: its threads, its places for loaded models, its loading.
        self._pool = CpuPool(1, _NICENESS)
        self._registry = Registry(self._pool, 1, Bounds(_MODELS, max_bytes))
        self._write_count = -1
        self._open: dict[str, list[_Open]] = {}
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._some = asyncio.Event()
        self._tallies: dict[str, Tally] = {}
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def route(self, live: ModelRecord, client: str, site: str | None) -> Route:
        """Return which model answers a question that is the live one's, and what is asked after.

        Args:
            live: The live model of a dataset.
            client: Who asks.
            site: Host of the page that the image is on, in lower case; None when it is not told.
        """
        found = [one for one in await self._find_open(live.dataset_id) if one.live.id == live.id]
        for one in found:
            if one.is_limited and one.takes(client, site):
                return Route(one.model, [Pairing(one.id, live, is_live_other=True)])
        pairings = [
            Pairing(one.id, one.model, is_live_other=False) for one in found if not one.is_limited
        ]
        return Route(live, pairings)

    async def _find_open(self, dataset_id: str) -> list[_Open]:
        before = self._database.write_count  # as in `Chooser`
        if before != self._write_count:
            async with self._database.read() as session:
                rows = await rollouts.list_open(session)
            self._open = {}
            for row, model, live in rows:
                sites = tuple(row.rules.get("sites", ()))
                one = _Open(row.id, row.stage == "limited", row.share, sites, model, live)
                self._open.setdefault(row.dataset_id, []).append(one)
            self._write_count = before
        return self._open.get(dataset_id, [])

    def offer(self, route: Route, given: Given, data: bytes | Path) -> None:
        """Take in what was answered, to be asked the other model; never waits.

        Images of datasets are left out: the models were trained on them, or on some like them.
        """
        if not route.pairings or isinstance(data, Path):
            return
        for pairing in route.pairings:
            if not self._is_new(pairing.rollout_id, given.sha256):
                continue
            if (
                len(self._waiting) >= _MOST_WAITING
                or self._waiting_bytes + len(data) > _MOST_WAITING_BYTES
            ):
                self._tally(pairing).not_compared += 1
                continue
            self._waiting.append(_Waiting(pairing, given, data))
            self._waiting_bytes += len(data)
            self._some.set()

    def _is_new(self, rollout_id: str, sha256: str) -> bool:
        key = (rollout_id, sha256)
        if key in self._known:
            self._known.move_to_end(key)
            return False
        self._known[key] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return True

    def _tally(self, pairing: Pairing) -> Tally:
        return self._tallies.setdefault(pairing.rollout_id, Tally())

    async def run(self) -> None:
        """Compare what waits whenever there is time, until cancelled."""
        while True:
            await self._some.wait()
            # Where somebody asks without a pause, four a second: enough to judge by, and few of
            # the answers overlap with one.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._turns.until_quiet(_QUIET_S)
            await self._turns.until_free()
            await self.compare_next()

    async def compare_next(self) -> bool:
        """Ask the other model one question; return whether there was one."""
        if not self._waiting:
            self._some.clear()
            return False
        one = self._waiting.popleft()
        self._waiting_bytes -= len(one.data)
        other = one.pairing.other
        try:
            classifier = await self._registry.get(
                other.bundle_sha256, self._bundles.path(other.bundle_sha256)
            )
            seen = await self._pool.run(
                see, classifier, one.data, self._limits, is_mirrored=one.given.is_mirrored
            )
        except (FormatError, OSError, NetworkError, NotUsableError) as error:
            self._tally(one.pairing).not_compared += 1
            detail = {"model_id": other.id, "detail": str(error)}
            log.warning("beside.failed", extra=detail)
            return True
        pair = (seen.prediction, one.given.prediction)
        live, model = pair if one.pairing.is_live_other else pair[::-1]
        given = one.given
        self._tally(one.pairing).add(Disagreement(given.sha256, given.prediction_id, live, model))
        return True

    def drain(self) -> dict[str, Tally]:
        """Return what was compared since the last call, by rollout."""
        tallies, self._tallies = self._tallies, {}
        return tallies

    def close(self) -> None:
        """Wait for what is being compared; the rest is dropped."""
        self._pool.close()
