"""The Python client: ``from server.client import Bowerbird``.

It talks to a running server by its REST API and needs nothing but the base packages; the command
line is built on it. Documented, with examples that are run by tests, in ``docs/client.md``.
"""

from server.client.bowerbird import Bowerbird
from server.client.dataset import DatasetClient
from server.client.errors import ClientError, ProblemError
from server.client.rollout_views import RolloutRules

__all__ = ["Bowerbird", "ClientError", "DatasetClient", "ProblemError", "RolloutRules"]
