"""The repositories of a lineage across repositories: this one, and its peers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol

from provrepo.errors import Busy, Denied, Error, NotFound, RemoteError, TimedOut, Unreachable
from provrepo.repository.context import Context
from provrepo.repository.federation.surroundings import surroundings
from provrepo.text import quoted

__all__ = ["ADDRESS", "Here", "Laboratory", "NoAnswer", "PeerLaboratory"]

ADDRESS = "lineage/surroundings"
"""The address of the question, below the URL of a peer."""

_ANSWER_BYTES = 32 << 20
"""The most bytes of one answer."""

_SILENCE = 20.0
"""The longest silence of a peer in seconds."""


class NoAnswer(Exception):
    """A repository did not answer.

    Attributes:
        state: a state of ``LaboratoryReport``.
        message: the reason, for people.
    """

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.message = message


class Laboratory(Protocol):
    """A repository that can be asked. Several threads may ask different ones.

    Attributes:
        name: the name of the peer; None for this repository.
        url: the URL of the peer; for this repository its own IRI.
    """

    @property
    def name(self) -> str | None:
        """The name of the peer; None for this repository."""

    @property
    def url(self) -> str:
        """The URL of the peer; for this repository its own IRI."""

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> Any:
        """Ask for surroundings.

        Args:
            question: the arguments of the verb ``surroundings``, as JSON.
            seconds: the longest time.

        Returns:
            The answer as JSON, which was not checked.

        Raises:
            NoAnswer: it did not answer.
        """


class Here:
    """This repository, as its caller may read it.

    Attributes:
        name: None.
        url: its own IRI.
    """

    name = None

    def __init__(self, context: Context) -> None:
        """Ask for the actor of a context."""
        self._context = context
        self.url = str(context.store.minter().repository())

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> Any:
        """See ``Laboratory``; other errors of the verb are raised."""
        try:
            return surroundings(self._context, **question, timeout=seconds).to_dict()
        except TimedOut as error:
            raise NoAnswer("late", str(error)) from error


class PeerLaboratory:
    """A peer, asked over HTTP with the operator's token for it. Only its URL is contacted.

    Attributes:
        name: its name.
        url: its URL.
    """

    def __init__(self, name: str, url: str, token: str) -> None:
        """Take the URL; nothing is sent yet.

        Raises:
            UsageError: the URL or the token is not valid.
        """
        self.name = name
        self.url = url
        from provrepo.http_client import HttpClient  # loads httpx

        self._client = HttpClient(url, token=token, timeout=_SILENCE, attempts=2)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> Any:
        """See ``Laboratory``."""
        seconds = max(0.1, round(seconds, 1))
        ends = time.monotonic() + seconds
        try:
            answer = self._client.post(
                ADDRESS,
                json.dumps(question).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
                limit=_ANSWER_BYTES,
                deadline=seconds,
            )
            return answer.json()
        except Error as error:
            raise NoAnswer(_state(error, late=time.monotonic() >= ends), quoted(str(error))) from error
        except RecursionError:
            raise NoAnswer("malformed", "its answer is nested too deeply") from None


def _state(error: Error, *, late: bool) -> str:
    """The state of a peer after an error."""
    if isinstance(error, Unreachable):
        return "late" if late else "unreachable"
    if isinstance(error, Denied):
        return "refused"
    if isinstance(error, Busy):
        return "busy"
    if isinstance(error, NotFound):
        return "unsupported"
    if isinstance(error, TimedOut):
        return "late"
    if isinstance(error, RemoteError):
        return "unsupported" if error.status in (404, 405) else "malformed"
    return "refused"
