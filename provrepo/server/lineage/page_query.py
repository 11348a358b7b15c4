"""The query behind a page of lineage, from which its links, forms and commands are made."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from provrepo.repository.lineage.query import LineageQuery
from provrepo.repository.options import Kind, options

__all__ = ["COLLAPSE", "EXPAND", "GROUP", "NAMES", "OF_QUERY", "OPEN", "PAGE", "PageQuery"]

_OPTIONS = {each.parameter: each for each in options(LineageQuery) if each.option.repeated}
COLLAPSE, OPEN, EXPAND = "collapse", "open", "expand"
"""Parameters of the picture alone: by what it is folded, which groups are open, and whose neighbors are shown."""

GROUP, PAGE = "group", "page"
"""Parameters of the list beside it: by what it is grouped, and which part of it is shown."""

OF_QUERY = tuple(_OPTIONS)
"""The parameters that commands repeat: the options of a lineage."""

NAMES = (*OF_QUERY, COLLAPSE, OPEN, EXPAND, GROUP, PAGE)
"""The parameters that links of a page repeat, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """The parameters of a request that have a value.

    Attributes:
        values: names with values, in the order of ``NAMES``.
    """

    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> PageQuery:
        """The query of a request; forms send fields that were left empty, which are ignored."""
        found = [(name, value) for name in NAMES for value in args.getlist(name)]
        return cls(tuple((name, value) for name, value in found if value and (name, value) != (name, "false")))

    def get(self, name: str) -> str:
        """The first value of a parameter; empty where it has none."""
        return next((value for known, value in self.values if known == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a parameter."""
        return [value for known, value in self.values if known == name]

    def but(self, **changes: str) -> PageQuery:
        """The query with other values; an empty one removes the parameter."""
        kept = [(name, value) for name, value in self.values if name not in changes]
        new = [(name, value) for name, value in changes.items() if value]
        return PageQuery(tuple(sorted([*kept, *new], key=lambda pair: NAMES.index(pair[0]))))

    def adding(self, name: str, value: str) -> PageQuery:
        """The query with one more value of a parameter."""
        return PageQuery(tuple(sorted([*self.values, (name, value)], key=lambda pair: NAMES.index(pair[0]))))

    def unfolded(self, without: Collection[str] = ()) -> bool:
        """Whether it has a parameter that the form shows among further choices.

        Args:
            without: parameters that have a place of their own.
        """
        return any(
            (found := _OPTIONS[name].option).label and not found.primary and name not in without
            for name, _ in self._asked()
        )

    def query(self, **more: str) -> str:
        """The query part of an address, without ``?``."""
        return urlencode([*self.values, *more.items()])

    def without_picture(self) -> PageQuery:
        """The query without what concerns the picture alone."""
        return PageQuery(tuple(self._asked()))

    def _asked(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.values if name in _OPTIONS]

    def command(self) -> str:
        """The command line for the same query of a data directory, to be pasted into a shell."""
        start, *others = self.all("iri")
        return _written(["provrepo", "lineage", start], [*(("--common", iri) for iri in others), *self._options()])

    def curl(self, address: str) -> str:
        """The command line for the same query of a server.

        Args:
            address: the address without its query.
        """
        fields = (("--data-urlencode", f"{name}={value}") for name, value in self._asked())
        return _written(["curl", "--get", address], fields)

    def _options(self) -> Iterator[Sequence[str]]:
        for name, value in self._asked():
            found = _OPTIONS[name]
            if not found.required and found.option.kind is not Kind.LINES:  # the command reads lines from a file
                yield (found.flag,) if found.option.kind is Kind.FLAG else (found.flag, value)


def _written(first: Sequence[str], options: Iterable[Sequence[str]]) -> str:
    """A command line, with each option on a line of its own."""
    return " \\\n  ".join(map(shlex.join, [first, *options]))
