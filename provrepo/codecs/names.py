"""Prefixed names: their expansion when reading, and the shortening of IRIs when writing."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from itertools import islice
from operator import neg
from typing import TypeAlias
from urllib.parse import urljoin

from provrepo.errors import TooLarge
from provrepo.model.document import ReaderWarning
from provrepo.model.identifiers import Identifier
from provrepo.model.prov_namespace import misspelled
from provrepo.vocab import PROV, XSD

__all__ = [
    "BASE_ADVICE",
    "MAX_EXPANDED",
    "RESERVED",
    "ExpansionBudget",
    "NameShortener",
    "Location",
    "PrefixScope",
    "namespace",
    "remarks",
    "repair",
]

Location: TypeAlias = tuple[int, int | None]
"""Line and, where it is known, column, both from 1."""

RESERVED = {"prov": PROV, "xsd": XSD}
"""Prefixes that every PROV-N, PROV-JSON and PROV-XML document has without a declaration (PROV-N section 3.7.1)."""


BASE_ADVICE = "write it in full, or name a base IRI (--base, base= in Python, ?base= over HTTP)"
"""Advice about a relative IRI, for formats with a base."""

_ESCAPED = re.compile(r"\\([='(),\-:;\[\].])")

# Excluded from ucschar (RFC 3987, section 2.2): C1 controls, surrogates, noncharacters, tags and private use.
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_NEVER = '\x00-\x20<>"{}|\\\\^`\\[\\]\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e0fff' + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17)
)
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_NOT_IN_IRIS = re.compile(f"[{_NEVER}{_PRIVATE}]|{_BAD_PERCENT.pattern}|#[^#]*#", re.DOTALL)
_NEVER_ASCII = {code: f"%{code:02X}" for code in (*range(0x21), *b'<>"{}|\\^`[]', 0x7F)}
_NOT_IN_QUERIES = re.compile(f"(?![\x00-\x7f])[{_NEVER}]")
_NOT_ELSEWHERE = re.compile(f"(?![\x00-\x7f])[{_NEVER}{_PRIVATE}]")
_ANYWHERE = "[A-Za-z0-9_.~:/?@!$&'()*+,;=-]*+"
_ORDINARY = re.compile(f"{_ANYWHERE}(?:#{_ANYWHERE})?")
"""Matches most IRIs: those with only characters that are allowed anywhere. Faster than ``_NOT_IN_IRIS``."""
_IPV6_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@\[\]]*@)?\[[0-9A-Fa-f:.]+\]")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def repair(iri: str) -> str:
    """An IRI with every character percent-encoded that RFC 3987 does not allow at its position.

    Brackets, spaces, ``<`` and a second ``#`` occur in real documents, since formats that join a namespace and a local
    name do not check the result. RDF cannot represent such identifiers. Readers of all formats repair them in the same
    way, so that a name is the same identifier in every format (ADR 12).
    """
    if _ORDINARY.fullmatch(iri) or not _NOT_IN_IRIS.search(iri):
        return iri
    host = _IPV6_HOST.match(iri)
    head = host.group() if host else ""
    before, sharp, fragment = iri[len(head) :].partition("#")
    path, mark, query = before.partition("?")
    path, fragment = _encoded(path, _NOT_ELSEWHERE), _encoded(fragment, _NOT_ELSEWHERE).replace("#", "%23")
    return f"{head}{path}{mark}{_encoded(query, _NOT_IN_QUERIES)}{sharp}{fragment}"


def _encoded(part: str, forbidden: re.Pattern[str]) -> str:
    return forbidden.sub(_percent, _BAD_PERCENT.sub("%25", part).translate(_NEVER_ASCII))


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "surrogatepass"))


def remarks(repaired: Iterable[tuple[str, str, Location | None]], line: int | None = None) -> list[ReaderWarning]:
    """Warnings about names that were not IRIs, each once.

    Args:
        repaired: for each the name as written, the IRI that it was read as, and its location.
        line: the line of those without a location.
    """
    found: dict[str, ReaderWarning] = {}
    for name, iri, place in repaired:
        if iri not in found:
            at, column = place or (line, None)
            message = f"{_shown(name)!r} is not an IRI once expanded: percent-encoded, as in <{_shown(iri)}>"
            found[iri] = ReaderWarning(
                message, at, column, rule="reading:iri", focus=iri, repair="Write the IRI like that."
            )
    return list(found.values())


def _shown(name: str) -> str:
    return name if len(name) <= 200 else name[:200] + "…"


def namespace(prefix: str, iri: str, *, base: str | None, line: int | None) -> tuple[str | None, ReaderWarning | None]:
    """The namespace that a declared prefix stands for, and a warning if that is not the IRI as written.

    Args:
        prefix: the prefix, empty for the default namespace.
        iri: the namespace as written.
        base: the IRI against which a relative one is resolved.
        line: the line of the declaration.

    Returns:
        The namespace, None if the declaration has no effect; and the warning, or None.

    Raises:
        ValueError: a relative IRI without a base.
    """
    reserved = RESERVED.get(prefix)
    if reserved is not None:
        # PROV-N section 3.7.1: the reserved prefixes must not be redeclared. ProvToolbox writes xsd without its "#".
        if iri == reserved:
            return None, None
        remark = ReaderWarning(
            f"{prefix} is declared as <{iri}>, but always stands for <{reserved}>: read as that", line
        )
        if prefix == "prov" and misspelled(iri):
            # Readers of other formats, and of RDF made from this document, would not recognize any PROV.
            repair = f"Write <{PROV}>, or leave the declaration out."
            remark = remark._replace(rule="prov-dm:namespace", violation=True, focus=iri, repair=repair)
        return None, remark
    if not _ABSOLUTE.match(iri):
        if base is None:
            raise ValueError(f"the namespace <{iri}> of prefix {prefix!r} is relative; {BASE_ADVICE}")
        resolved = urljoin(base, iri)
        if not _ABSOLUTE.match(resolved):
            raise ValueError(
                f"the namespace <{iri}> of prefix {prefix!r} is relative, and <{base}> is no base for it: "
                "write the whole IRI in the declaration"
            )
        return resolved, ReaderWarning(
            f"the namespace <{iri}> of prefix {prefix!r} is relative: read as <{resolved}>", line
        )
    return iri, None


MAX_EXPANDED = 1 << 28
"""The most characters of all prefixed names of a document, once they are expanded."""


class ExpansionBudget:
    """Sums the lengths of expanded names: many short names with one long namespace would fill the memory."""

    __slots__ = ("_most", "_total")

    def __init__(self, most: int = MAX_EXPANDED) -> None:
        self._most = most
        self._total = 0

    def add(self, characters: int) -> None:
        """Add a number of characters.

        Raises:
            TooLarge: the sum exceeds the limit.
        """
        self._total += characters
        if self._total > self._most:
            raise TooLarge(
                f"the names in this document take more than {self._most:,} characters once they are expanded, which is "
                "the most that is read: use shorter namespaces"
            )


class PrefixScope:
    """The prefixes in effect while reading: those of a bundle override those of its document.

    Attributes:
        prefixes: prefix → namespace IRI, the default namespace under the empty prefix.
        repaired: names whose expansion was not an IRI, the IRIs that they were read as, and their locations; shared
            with the outer scope.
    """

    __slots__ = ("_expanded", "_known", "_place", "prefixes", "repaired")

    def __init__(
        self,
        prefixes: Mapping[str, str],
        outer: PrefixScope | None = None,
        *,
        place: Callable[[], Location | None] = lambda: None,
    ) -> None:
        """Create a scope with ``prefixes``.

        Args:
            prefixes: those declared here.
            outer: the scope around it, or None.
            place: returns the location of the reader; that of an outer scope is used if there is one.
        """
        self.prefixes: dict[str, str] = {**(outer.prefixes if outer else RESERVED), **prefixes}
        self.repaired: list[tuple[str, Identifier, Location | None]] = outer.repaired if outer else []
        self._place: Callable[[], Location | None] = outer._place if outer else place
        self._known: dict[str, Identifier] = {}
        self._expanded: ExpansionBudget = outer._expanded if outer else ExpansionBudget()

    def expand(self, name: str) -> Identifier | None:
        """The IRI of a prefixed name, the same object each time; None if its prefix is not declared.

        A name without a colon is in the default namespace; ``_:x`` is a blank node and returned unchanged.
        """
        known = self._known.get(name)
        if known is None:
            prefix, colon, local = name.partition(":")
            if not colon:
                prefix, local = "", name
            # ProvToolbox escapes local names in its JSON as PROV-N does (PN_CHARS_ESC). An IRI has no backslash.
            known = self.join(prefix, _ESCAPED.sub(r"\1", local) if "\\" in local else local)
            if known is not None:
                self._known[name] = known
        return known

    def join(self, prefix: str, local: str) -> Identifier | None:
        """The IRI of a prefix and a local name; None if the prefix is not declared."""
        if prefix == "_":
            return Identifier(f"_:{local}")
        start = self.prefixes.get(prefix)
        if start is None:
            return None
        self._expanded.add(len(start) + len(local))
        iri = repair(start + local)
        result = Identifier(iri)
        if len(iri) != len(start) + len(local):
            self.repaired.append((f"{prefix}:{local}" if prefix else local, result, self._place()))
        return result

    def whole(self, iri: str) -> Identifier:
        """An IRI that is written in full, repaired if necessary."""
        result = Identifier(repair(iri))
        if result != iri:
            self.repaired.append((iri, result, self._place()))
        return result

    def remarks(self, line: int | None) -> list[ReaderWarning]:
        """Warnings about repaired names; ``line`` is used for those without a location."""
        return remarks(self.repaired, line)


_CUT = re.compile(r"[#/:?=&]")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*/?")
_FINE, _COARSE = 200, 1_000
"""The numbers of minted prefixes up to which each fits its IRI closely, and up to which it contains the host."""

_TRIED = 64
"""The most positions at which a long IRI is split, from its end and from its start, to find a valid local name."""


class NameShortener:
    """Shortens IRIs with the declared prefixes, and mints ``ns1``, ``ns2`` … for IRIs without one.

    Shorten every name before ``prefixes`` is read, since minted prefixes are added to it. After hundreds of minted
    prefixes the next are coarser, so that their number stays bounded.

    Attributes:
        prefixes: prefix → namespace IRI, minted ones included.
    """

    __slots__ = (
        *("_acceptable", "_best", "_default", "_inherited", "_known", "_lengths", "_minted", "_overridden"),
        *("_reserved", "prefixes"),
    )

    def __init__(
        self,
        prefixes: Mapping[str, str],
        *,
        acceptable: Callable[[str], bool] = lambda local: True,  # noqa: ARG005
        default: bool = True,
        reserved: Mapping[str, str] = RESERVED,
    ) -> None:
        """Create a shortener with ``prefixes``.

        Args:
            prefixes: those that the document declares.
            acceptable: returns whether the format can write a local name.
            default: whether the format has a default namespace (the empty prefix).
            reserved: prefixes that need no declaration.
        """
        self.prefixes = {p: n for p, n in prefixes.items() if (p or default) and p not in reserved}
        self._reserved = dict(reserved)
        self._acceptable = acceptable
        self._known: dict[str, tuple[str, str]] = {}
        self._minted = 0
        self._default = default
        # Of a scope within another: the number of prefixes from there, and those of them that it redefines.
        self._inherited = 0
        self._overridden: frozenset[str] = frozenset()
        # Namespace → the prefix that stands for it, and the lengths of namespaces, the longest first.
        self._best: dict[str, str] = {}
        self._lengths: list[int] = []
        for prefix, iri in sorted([*self._reserved.items(), *self.prefixes.items()], key=self._rank):
            if iri:
                self._best.setdefault(iri, prefix)
        self._lengths = sorted(set(map(len, self._best)), reverse=True)

    def _rank(self, declared: tuple[str, str]) -> tuple[bool, bool, str]:
        return declared[0] == "", declared[0] not in self._reserved, declared[0]

    def within(self, more: Mapping[str, str]) -> NameShortener:
        """A shortener for a bundle with further prefixes, in which the prefixes that it mints are declared.

        Apart from copies of tables the work does not depend on the number of the document's prefixes, since a document
        may have thousands of bundles.
        """
        inner = copy(self)
        inner._known, inner._minted = {}, 0
        inner._best, inner._lengths = dict(self._best), list(self._lengths)
        inner._inherited = len(self.prefixes)
        more = {p: n for p, n in more.items() if (p or self._default) and p not in self._reserved}
        inner._overridden = frozenset(p for p, n in more.items() if self.prefixes.get(p, n) != n)
        inner.prefixes = {**self.prefixes, **more}
        # A namespace loses its prefix if that is redefined here, or if it is the default namespace and has a prefix.
        lost = {n for p in inner._overridden if inner._best.get(n := self.prefixes[p]) == p}
        if self._minted and inner._best.get(default := inner.prefixes.get("", "")) == "":
            lost.add(default)
        for iri in lost:
            del inner._best[iri]
        again = [declared for declared in inner.prefixes.items() if declared[1] in lost] if lost else []
        for declared in [*more.items(), *again]:
            if declared[1]:
                inner._prefer(*declared)
        return inner

    def beyond(self, also: Collection[str] = ()) -> dict[str, str]:
        """The prefixes of a scope ``within`` another that it adds or redefines, and some others, in order.

        Args:
            also: the others; they are included if they are declared.
        """
        own = dict(islice(self.prefixes.items(), self._inherited, None))
        others = {p for p in also if p in self.prefixes and p not in own} | self._overridden
        if len(others) > 1:
            return {p: n for p, n in self.prefixes.items() if p in others or p in own}
        return {**{p: self.prefixes[p] for p in others}, **own}

    def _prefer(self, prefix: str, iri: str) -> None:
        """Use the better of two prefixes for a namespace."""
        known = self._best.get(iri)
        if known is None:
            self._index(prefix, iri)
        elif self._rank((prefix, iri)) < self._rank((known, iri)):
            self._best[iri] = prefix

    def _index(self, prefix: str, iri: str) -> None:
        if iri in self._best:
            return
        self._best[iri] = prefix
        place = bisect_left(self._lengths, -len(iri), key=neg)
        if place == len(self._lengths) or self._lengths[place] != len(iri):
            self._lengths.insert(place, len(iri))

    def split(self, iri: str) -> tuple[str, str]:
        """An IRI as (prefix, local name). A blank node ``_:x`` is ``("_", "x")``."""
        known = self._known.get(iri)
        if known is None:
            known = self._known[iri] = self._split(iri)
        return known

    def short(self, iri: str) -> str:
        """An IRI as ``prefix:local``, or as ``local`` in the default namespace."""
        prefix, local = self.split(iri)
        return f"{prefix}:{local}" if prefix else local

    def prefixed(self, iri: str) -> str:
        """An IRI as ``prefix:local``; a prefix is minted for the default namespace if it has none."""
        prefix, local = self.split(iri)
        if prefix:
            return f"{prefix}:{local}"
        namespace = self.prefixes[""]
        named = next((p for p, n in self.prefixes.items() if p and n == namespace), None)
        return f"{named or self._mint(namespace)}:{local}"

    def split_where(self, iri: str, acceptable: Callable[[str], bool]) -> tuple[str, str]:
        """An IRI as (prefix, local name) with a local name that satisfies a condition, if there is one.

        Args:
            iri: not a blank node.
            acceptable: the condition, in addition to that of the format; ignored once hundreds of prefixes are minted.
        """
        strict = self._declared(iri, acceptable)
        if strict is None and self._minted < _FINE:
            strict = self._minted_for(iri, acceptable)
        return strict or self.split(iri)

    def _split(self, iri: str) -> tuple[str, str]:
        if iri.startswith("_:"):
            return "_", iri[2:]
        found = self._declared(iri, self._acceptable) or self._minted_for(iri, self._acceptable)
        return found or (self._mint(iri), "")

    def _declared(self, iri: str, acceptable: Callable[[str], bool]) -> tuple[str, str] | None:
        # Longest namespace first: with both http://ex/ and http://ex/a# declared, http://ex/a#b is a:b.
        tried = 0
        for length in islice(self._lengths, bisect_left(self._lengths, -len(iri), key=neg), None):
            prefix = self._best.get(iri[:length])
            if prefix is not None:
                local = iri[length:]
                # A name in the default namespace may not be empty, nor look prefixed.
                if (prefix or (local and ":" not in local)) and acceptable(local):
                    return prefix, local
                tried += 1
                if tried == _TRIED:
                    break
        return None

    def _minted_for(self, iri: str, acceptable: Callable[[str], bool]) -> tuple[str, str] | None:
        for cut in self._cuts(iri):
            if iri[cut:] and acceptable(iri[cut:]):
                return self._mint(iri[:cut]), iri[cut:]
        return None

    def _cuts(self, iri: str) -> list[int]:
        """The positions at which a namespace may end, the best first."""
        cuts = [match.end() for match in _CUT.finditer(iri)]
        if len(cuts) > 2 * _TRIED:
            cuts = cuts[:_TRIED] + cuts[-_TRIED:]
        fine = cuts[::-1]
        if self._minted < _FINE:
            return fine
        host = _AUTHORITY.match(iri) if self._minted < _COARSE else None
        return [cut for cut in cuts if host is None or cut >= host.end()] + fine

    def _mint(self, namespace: str) -> str:
        while True:
            self._minted += 1
            prefix = f"ns{self._minted}"
            if prefix not in self.prefixes and prefix not in self._reserved:
                break
        self.prefixes[prefix] = namespace
        self._index(prefix, namespace)
        return prefix
