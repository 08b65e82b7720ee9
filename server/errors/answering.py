"""More is asked of the models, or said of their answers, than is let in."""

from __future__ import annotations

from server.errors.base import ServerError


class TooBusyError(ServerError):
    """More is asked of the models than is let in.

    Attributes:
        retry_after_s: Whole seconds after which there will be room; in ``extra`` as well.
    """

    slug, title = "too-busy", "The server has too much to answer at once"

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(f"{why}; try again in {retry_after_s} s", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class AllowanceUsedError(ServerError):
    """A visitor, or all of a link, have had the answers that the link grants.

    Attributes:
        retry_after_s: Whole seconds after which there is one more; in ``extra`` as well.
    """

    slug, title = "allowance-used", "The link grants no more answers for now"

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(f"{why}; try again in {retry_after_s} s", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class TooMuchFeedbackError(ServerError):
    """A client says more of answers than is taken in an hour.

    Attributes:
        retry_after_s: Whole seconds after which one more is taken; in ``extra`` as well.
    """

    slug, title = "too-much-feedback", "No more feedback is taken for now"

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(f"{why}; try again in {retry_after_s} s", retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s
