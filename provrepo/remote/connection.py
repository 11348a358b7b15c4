"""The connection to a repository at a distance: the first argument of its verbs, as ``Context`` of the local ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from provrepo.checks.report import Report
from provrepo.errors import NotFound, RemoteError, UsageError
from provrepo.ledger.kinds import is_name
from provrepo.limits import MAX_PAGE_SIZE
from provrepo.problems import HIDDEN
from provrepo.remote.decoding import Unexpected, decoded

if TYPE_CHECKING:
    from provrepo.http_client import Answer, HttpClient
    from provrepo.settings import Settings

__all__ = ["ANSWER_BYTES", "JSON", "Connection"]

T = TypeVar("T")

ANSWER_BYTES = 256 << 20
"""The most bytes of one answer."""

GRACE = 30.0
"""Seconds of silence beyond the longest time that a server works on one request."""

JSON = {"Accept": "application/json"}

_VERSION_DIGITS = 9


class Connection:
    """A server, and the token with which it is asked.

    Attributes:
        settings: the settings of this process.
    """

    def __init__(self, url: str, token: str, settings: Settings) -> None:
        """Check the URL and the token; nothing is sent yet.

        Raises:
            UsageError: the URL or the token is not valid.
        """
        from provrepo.http_client import HttpClient

        self.settings = settings
        silence = max(settings.check_timeout, settings.query_timeout) + GRACE
        self._http = HttpClient(url, token=token, timeout=silence, deadline=2 * silence, report=Report.from_dict)

    @property
    def http(self) -> HttpClient:
        """The HTTP client."""
        return self._http

    @property
    def url(self) -> str:
        """The URL of the server, with a slash at its end."""
        return self._http.url

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Addresses

    def project(self, name: str, *steps: str) -> tuple[str, ...]:
        """The path of a project.

        Raises:
            NotFound: no project can have that name.
        """
        if not is_name(name):
            raise _no_project(name)
        return ("projects", name, *steps)

    def document(self, project: str, name: str, *steps: str) -> tuple[str, ...]:
        """The path of a document.

        Raises:
            NotFound: no document can have that name, or no project that of the project.
        """
        if not is_name(name):
            self.require(project)
            raise NotFound(f"there is no document {name!r} in project {project!r}")
        return self.project(project, "documents", name, *steps)

    def version(self, project: str, name: str, version: int | None, *steps: str) -> tuple[str, ...]:
        """The path of a version, or that of the document if it is None.

        Raises:
            NotFound: no version can have that number.
        """
        if version is None:
            return self.document(project, name, *steps)
        if not 0 <= version < 10**_VERSION_DIGITS:
            answer = self.json("GET", self.document(project, name, "versions"), project=project)
            known = answer.get("total", 0)
            raise NotFound(f"{name} has no version {version}; there are 1 to {known}")
        return self.document(project, name, "versions", str(version), *steps)

    # Requests

    def send(self, method: str, path: tuple[str, ...], *, project: str | None = None, **options: Any) -> Answer:
        """Send a request.

        Args:
            method: the HTTP method.
            path: the steps of the path.
            project: the project that the request names. The server does not say whether a project that it does not show
                exists; the error is then that of a project that does not exist.
            options: those of ``HttpClient.request``.

        Raises:
            Error: that of the server's answer.
        """
        try:
            return self._http.request(method, path, **{"limit": ANSWER_BYTES, **options})
        except NotFound as error:
            if project is not None and str(error) == HIDDEN:
                raise _no_project(project) from None
            raise

    def json(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        project: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Send a request and return the JSON object of the answer; arguments and errors are those of ``send``."""
        answer = self.send(method, path, project=project, headers={**JSON, **(headers or {})}, **options)
        with self.understanding():
            return decoded(dict, answer.json())

    def record(self, kind: type[T], method: str, path: tuple[str, ...], **options: Any) -> T:
        """Send a request and return the record in the answer; arguments and errors are those of ``send``."""
        found = self.json(method, path, **options)
        with self.understanding():
            return decoded(kind, found)

    def pages(
        self, path: tuple[str, ...], member: str, *, project: str | None = None, key: str = "name", **query: Any
    ) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page.

        Args:
            path: the path of the list.
            member: the member with the items.
            project: as for ``send``.
            key: the member of an item after which the next page begins.
            query: further parameters.
        """
        after = query.pop("after", None)
        while True:
            asked = {"limit": MAX_PAGE_SIZE, **query, "after": after}
            found = self.json("GET", path, project=project, query=asked)
            with self.understanding():
                items = [decoded(dict, item) for item in found[member]]
                yield from items
                if len(items) < asked["limit"]:
                    return
                if after is not None and not items[-1][key] > type(items[-1][key])(after):
                    raise Unexpected(f"the list of {member} does not go on")
                after = items[-1][key]

    def parts(self, path: tuple[str, ...], member: str, *, project: str | None = None, **query: Any) -> Iterator[Any]:
        """The items of a list that is read in parts by their place; arguments as for ``pages``."""
        known = 0
        while True:
            found = self.json("GET", path, project=project, query={**query, "limit": MAX_PAGE_SIZE, "offset": known})
            with self.understanding():
                items, total = found[member], decoded(int, found["total"])
                if not isinstance(items, list):
                    raise Unexpected(f"{member} is no list")
                yield from items
                known += len(items)
                if not items or known >= total:
                    return

    def require(self, project: str) -> None:
        """Raise NotFound if the project does not exist, or the token does not cover it."""
        self.send("GET", self.project(project), project=project, headers=JSON)

    @contextmanager
    def understanding(self) -> Iterator[None]:
        """Raise RemoteError where an answer is not what this version expects."""
        try:
            yield
        except (Unexpected, KeyError, TypeError) as error:
            raise RemoteError(
                f"{self.url} sent an answer that this version of provrepo cannot read; is it a provrepo server of the "
                f"same version? ({error})"
            ) from error

    @contextmanager
    def checked(self, *projects: str) -> Iterator[None]:
        """Around checks of arguments: a project that does not exist is reported first, as by a data directory."""
        try:
            yield
        except UsageError:
            for name in projects:
                self.require(name)
            raise

    def length(self, project: str) -> int:
        """The number of ledger entries of a project."""
        found = self.json("GET", self.project(project), project=project)
        with self.understanding():
            return decoded(int, found["entries"])


def _no_project(name: str) -> NotFound:
    return NotFound(f"there is no project {name!r}")
