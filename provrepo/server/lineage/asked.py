"""What a page about lineage was asked, so that its links, forms and commands ask the same again, or a little else."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

__all__ = ["FLAGS", "NAMES", "Asked"]

FLAGS = ("strict", "alternates")
"""Parameters that are true or not given."""

NAMES = ("iri", "direction", "depth", "to", "relation", "stop", *FLAGS, "project", "as_of", "limit", "source")
"""Parameters of ``/lineage``, in the order in which they are written; each but the last is an option of the command."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Parameters with their values.

    Attributes:
        values: those that say something, by the order of ``NAMES``.
    """

    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> Asked:
        """What a request asks; forms send fields that were left empty, which say nothing."""
        found = [(name, value) for name in NAMES for value in args.getlist(name)]
        return cls(tuple((name, value) for name, value in found if value and (name, value) != (name, "false")))

    def get(self, name: str) -> str:
        """The first value of a parameter; empty where there is none."""
        return next((value for known, value in self.values if known == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a parameter."""
        return [value for known, value in self.values if known == name]

    def but(self, **changes: str) -> Asked:
        """The same with other values; an empty one takes the parameter away."""
        kept = [(name, value) for name, value in self.values if name not in changes]
        new = [(name, value) for name, value in changes.items() if value]
        return Asked(tuple(sorted([*kept, *new], key=lambda pair: NAMES.index(pair[0]))))

    def chosen(self) -> bool:
        """Whether anything is asked that few people ask."""
        return any(name not in ("iri", "direction", "depth", "limit", "source") for name, _ in self.values)

    def query(self, **more: str) -> str:
        """The query part of an address, without ``?``."""
        return urlencode([*self.values, *more.items()])

    def command(self) -> str:
        """The command that asks the same of a data directory, to be pasted into a shell."""
        start, *others = self.all("iri")
        return _written(["provrepo", "lineage", start], [*(("--common", iri) for iri in others), *self._options()])

    def curl(self, address: str) -> str:
        """The command that asks the same of a server.

        Args:
            address: what is asked.
        """
        fields = (("--data-urlencode", f"{name}={value}") for name, value in self.values)
        return _written(["curl", "--get", address], fields)

    def _options(self) -> Iterator[Sequence[str]]:
        for name, value in self.values:
            if name not in ("iri", "source"):  # the command reads sources from a file
                option = "--" + name.replace("_", "-")
                yield (option,) if name in FLAGS else (option, value)


def _written(first: Sequence[str], options: Iterable[Sequence[str]]) -> str:
    """A command line, with each option on a line of its own."""
    return " \\\n  ".join(map(shlex.join, [first, *options]))
