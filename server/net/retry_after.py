"""What ``Retry-After`` asks for. A pure function."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# RFC 9110 section 10.2.3: whole seconds. Nine digits are 31 years; longer numbers are nonsense.
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_MAX_DATE_CHARS: Final = 64


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds to wait, not below 0; None when the header says nothing usable.

    Args:
        value: The header: seconds, or a date in one of HTTP's forms.
        now: Aware; what a date is counted from.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    if not text or len(text) > _MAX_DATE_CHARS:
        return None
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000", or the oldest form: both mean UTC in HTTP
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, OverflowError):
        return None
