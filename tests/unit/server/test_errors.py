"""The domain errors and the one table that gives them statuses."""

from __future__ import annotations

import pytest

from server import errors
from server.api import problems
from server.reasons import Reason


def subclasses(cls: type) -> list[type]:
    return [s for sub in cls.__subclasses__() for s in (sub, *subclasses(sub))]


def test_every_domain_error_has_a_status():
    assert set(problems.STATUS) == set(subclasses(errors.ServerError))


def test_slugs_and_titles_are_unique():
    for attribute in ("slug", "title"):
        values = [getattr(cls, attribute) for cls in subclasses(errors.ServerError)]
        assert len(values) == len(set(values))


def test_a_slug_is_the_kebab_case_of_its_class():
    bases = {cls for cls in problems.STATUS if subclasses(cls)}
    for cls in set(problems.STATUS) - bases:
        words = cls.slug.replace("-", "")
        assert cls.__name__.lower().removesuffix("error").startswith(words[:8]), cls


@pytest.mark.parametrize("error", problems.STATUS, ids=lambda e: e.slug)
def test_every_domain_error_answers_with_its_status(error):
    arguments = {
        errors.ImageNotUsableError: (Reason.EMPTY, "no bytes"),
        errors.ImageNotObtainableError: ("some key", "ready", None),
        errors.VersionConflictError: ("some key", 2, {}),
        errors.TooBusyError: ("some key", 7),
        errors.AllowanceUsedError: ("some key", 7),
        errors.TooMuchFeedbackError: ("some key", 7),
        errors.LinkNotValidError: (),
    }.get(error, ("some key",))
    response = problems.respond(error(*arguments))
    assert response.status_code == problems.STATUS[error]
    assert response.media_type == "application/problem+json"
    assert ("www-authenticate" in response.headers) == (response.status_code == 401)
    assert ("retry-after" in response.headers) == hasattr(error(*arguments), "retry_after_s")
