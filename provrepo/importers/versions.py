"""Files that runs name by their paths: a logical dataset for each path, and a version of it for each run that wrote it.

A run that reads a path read the version that another run of the same source wrote before: that with the digest that it
states, otherwise the last one. Where the source does not say, the read is an unknown version
(``provrepo.model.unknown_versions``), which the lineage index resolves by the times of all documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provrepo.codecs.rdf.terms import is_iri
from provrepo.importers.contents import content_of, state_file
from provrepo.importers.masking import without_login
from provrepo.importers.moments import Moment
from provrepo.importers.names import segment
from provrepo.importers.statements import Statements, link, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import SPECIALIZATION, Attribute
from provrepo.model.unknown_versions import UNKNOWN
from provrepo.vocab import DCAT, PROVREPO, RDFS_LABEL

__all__ = ["Span", "Versions", "plain_path"]

_INTENDED = "https://w3id.org/provrepo/openlineage#intendedOutput"
"""The term for what a run that did not complete was to write: nobody knows if there is a version."""

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_STRONGEST = ("sha512", "sha384", "sha256", "sha1", "md5")


class Span(NamedTuple):
    """What is known of the times of a run.

    Attributes:
        start: its start.
        end: its end.
        place: its place in the order of its source, where that is the order of time; otherwise None.
    """

    start: Moment | None = None
    end: Moment | None = None
    place: int | None = None

    def follows(self, other: Span) -> bool | None:
        """Whether it started when another had ended; None where the times do not say.

        Runs at one time, such as those of one day, follow each other in the order of the source, where it has one.
        """
        first, then = other.end or other.start, self.start or self.end
        if first is None or then is None or first.zoned != then.zoned:
            return _after(self.place, other.place)
        if _instants(self) == _instants(other):
            return _after(self.place, other.place)
        return first[:2] <= then[:2]


def _instants(span: Span) -> tuple[object, object]:
    return span.start and span.start[:2], span.end and span.end[:2]


def _after(one: int | None, other: int | None) -> bool | None:
    return None if one is None or other is None else one > other


class _Written(NamedTuple):
    run: str
    version: Identifier
    digests: Mapping[str, str]
    span: Span


def plain_path(path: str) -> str:
    """A path with slashes: that of Windows with backslashes and with slashes is one, and so are ``./a`` and ``a``."""
    if _WINDOWS.match(path) or ("\\" in path and "/" not in path):
        path = path.replace("\\", "/")
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path


class Versions:
    """The versions of the files of one source. All of ``write`` comes before the first ``read``."""

    def __init__(self, statements: Statements, root: str) -> None:
        """Begin.

        Args:
            statements: the document.
            root: the beginning of the IRIs of these files, which ends with a slash.
        """
        self._statements, self._root = statements, root
        self._written: dict[str, list[_Written]] = {}

    def dataset(self, path: str) -> Identifier:
        """Describe the logical dataset of a path or URL: all versions of it."""
        plain = plain_path(path)
        shown = without_login(plain)
        name = shown if "://" in plain and is_iri(shown) else f"{self._root}file/{segment(plain)}"
        return self._statements.entity(name, words(RDFS_LABEL, shown), types=[f"{DCAT}Dataset"])

    def write(
        self, path: str, run: str, span: Span, digests: Mapping[str, str], *attributes: Iterable[Attribute]
    ) -> Identifier:
        """Describe the version that a run wrote.

        Args:
            path: the path, or a URL.
            run: what identifies the run in the source.
            span: its times.
            digests: of the bytes: algorithm → hexadecimal digest.
            attributes: of the version.
        """
        version = self._version(path, segment(run), digests, attributes)
        known = self._written.setdefault(plain_path(path), [])
        if all(each.version != version for each in known):
            known.append(_Written(run, version, digests, span))
        return version

    def read(
        self, path: str, run: str, span: Span, digests: Mapping[str, str], *attributes: Iterable[Attribute]
    ) -> Identifier:
        """Describe the version that a run read; arguments as ``write``."""
        others = [each for each in self._written.get(plain_path(path), ()) if each.run != run]
        found = _chosen([each for each in others if each.digests] if digests else others, span, digests)
        if found is not None:
            self._statements.entity(found.version, *attributes)
            return found.version
        unclear = any(not each.digests for each in others)
        strongest = next((name for name in _STRONGEST if name in digests), "")
        if digests and not unclear and content_of(strongest, digests.get(strongest, "")):
            name = segment(f"{strongest}:{digests[strongest].lower()}")
        else:
            name = f"{UNKNOWN}/{segment(run)}"
        types = [] if others else [f"{PROVREPO}Source"]
        return self._version(path, name, digests, attributes, types)

    def intended(self, path: str) -> list[Attribute]:
        """An attribute of a run that did not complete: what it was to write."""
        return [link(_INTENDED, self.dataset(path))]

    def _version(
        self,
        path: str,
        name: str,
        digests: Mapping[str, str],
        attributes: Iterable[Iterable[Attribute]],
        types: Iterable[str] = (),
    ) -> Identifier:
        plain = plain_path(path)
        version = state_file(
            self._statements,
            f"{self._root}version/{segment(plain)}/{name}",
            without_login(plain),
            digests,
            *attributes,
            types=types,
        )
        self._statements.relate(SPECIALIZATION, version, self.dataset(path))
        return version


def _chosen(written: list[_Written], span: Span, digests: Mapping[str, str]) -> _Written | None:
    """The version that was read: of those with the same digest, otherwise of all, the last one before the reader.

    Without times it is known only if there is no choice.
    """
    same = [each for each in written if not digests or _agree(each.digests, digests)]
    verdicts = [(each, span.follows(each.span)) for each in same]
    unknown = [each for each, verdict in verdicts if verdict is None]
    before = [each for each, verdict in verdicts if verdict]
    if unknown:
        return same[0] if len(same) == 1 else None
    last = [each for each in before if not any(other.span.follows(each.span) for other in before if other is not each)]
    return last[0] if len(last) == 1 else None


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    common = one.keys() & other.keys()
    return bool(common) and all(one[name].lower() == other[name].lower() for name in common)
