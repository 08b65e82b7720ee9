"""Use cases of pairing an extension, and of signing the web pages in.

The codes live in memory: a restart closes what was open, which is the safe side.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.db.token_models import TokenRecord
from server.errors import (
    PairingCodeWrongError,
    PairingLockedError,
    PairingNotOpenError,
    SignInCodeError,
)
from server.services.access import AccessService, TokenKind

# Without 0 O 1 I L, which people mix up. 31 ** 6 is 887 million: five guesses are hopeless.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 6
CODE_LIFE = timedelta(minutes=10)  # to find the popup and type six letters, with a coffee between
MAX_ATTEMPTS = 5
SIGN_IN_LIFE = timedelta(minutes=30)  # the link stands in a terminal; it works once
MAX_SIGN_IN_CODES = 100


@dataclass
class Pairing:
    """An open pairing."""

    code: str
    expires_at: datetime
    attempts_left: int = MAX_ATTEMPTS


class PairingService:
    """One pairing at a time: a code on the page, typed into the extension."""

    def __init__(
        self, access: AccessService, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Keep what the use cases need."""
        self._access = access
        self._clock = clock
        self._open: Pairing | None = None

    def open(self) -> Pairing:
        """Open a pairing with a new code; a former code is void."""
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        self._open = Pairing(code, self._clock() + CODE_LIFE)
        return self._open

    async def redeem(self, code: str, client: str, origin: str | None) -> tuple[str, TokenRecord]:
        """Exchange the code for a token of the extension at ``origin``.

        Raises:
            PairingNotOpenError: No code is on show, or its time is over.
            PairingCodeWrongError: The code is another.
            PairingLockedError: It was wrong five times.
        """
        pairing = self._open
        if pairing is None or self._clock() >= pairing.expires_at:
            raise PairingNotOpenError("open the server's page and ask for a pairing code there")
        if pairing.attempts_left == 0:
            raise PairingLockedError("too many wrong codes: ask for a new one on the server's page")
        typed = "".join(c for c in code.upper() if c.isalnum())
        if not hmac.compare_digest(typed.encode(), pairing.code.encode()):
            pairing.attempts_left -= 1
            if pairing.attempts_left == 0:
                raise PairingLockedError(
                    "too many wrong codes: ask for a new one on the server's page"
                )
            raise PairingCodeWrongError(
                f"that is not the code on the page; {pairing.attempts_left} tries are left",
                attempts_left=pairing.attempts_left,
            )
        self._open = None
        return await self._access.create(client, TokenKind.EXTENSION, origin)


class SignInService:
    """One-time links that sign a browser in on the web pages."""

    def __init__(
        self, access: AccessService, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Keep what the use cases need."""
        self._access = access
        self._clock = clock
        self._codes: dict[str, datetime] = {}

    def open(self) -> tuple[str, datetime]:
        """Return a one-time code and when it runs out."""
        now = self._clock()
        self._codes = {code: until for code, until in self._codes.items() if until > now}
        if len(self._codes) >= MAX_SIGN_IN_CODES:
            self._codes.pop(next(iter(self._codes)))
        code = secrets.token_urlsafe(24)
        self._codes[code] = now + SIGN_IN_LIFE
        return code, self._codes[code]

    async def redeem(self, code: str) -> str:
        """Exchange the code for a token of the web pages.

        Raises:
            SignInCodeError: It was used, has run out, or never was.
        """
        until = self._codes.pop(code, None)
        if until is None or self._clock() >= until:
            raise SignInCodeError(
                "this link was used or is too old; `bowerbird open` makes a new one"
            )
        return await self.start_session()

    async def start_session(self) -> str:
        """Return a token for the cookie of a browser that has shown it may."""
        text, _ = await self._access.create("web pages", TokenKind.WEB)
        return text
