"""Values of JSON of the expected shape; what has another one is a problem with its JSON pointer, and is not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from provrepo.importers.json_values import Problem, escaped
from provrepo.importers.moments import Moment

__all__ = ["Shapes"]


class Shapes:
    """Reads members of a record.

    Attributes:
        problems: what is not as the specification says.
    """

    def __init__(self, problems: list[Problem], record: str) -> None:
        """Begin.

        Args:
            problems: what was found so far; more is added.
            record: what the record is called in messages, such as ``attestation``.
        """
        self.problems, self._record = problems, record

    def object(self, found: Any, pointer: str) -> Mapping[str, Any]:
        """A JSON object; an empty one where there is none."""
        if found is not None and not isinstance(found, dict):
            self.problems.append(Problem(pointer, "an object is needed; it is not read"))
        return found if isinstance(found, dict) else {}

    def objects(self, found: Any, pointer: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The objects of a list, with their pointers."""
        return [(place, item) for place, item in self.items(found, pointer, dict, "an object")]

    def texts(self, found: Any, pointer: str) -> list[str]:
        """The texts of a list."""
        return [item for _, item in self.items(found, pointer, str, "a text")]

    def items(self, found: Any, pointer: str, kind: type, called: str) -> list[tuple[str, Any]]:
        """The members of a list that are of a type, with their pointers."""
        if found is not None and not isinstance(found, list):
            self.problems.append(Problem(pointer, "a list is needed; it is not read"))
        kept = []
        for number, item in enumerate(found if isinstance(found, list) else []):
            if isinstance(item, kind):
                kept.append((f"{pointer}/{number}", item))
            else:
                self.problems.append(Problem(f"{pointer}/{number}", f"{called} is needed; it is not read"))
        return kept

    def text(self, found: Any, pointer: str) -> str:
        """A text; empty where there is none."""
        if found is not None and not isinstance(found, str):
            self.problems.append(Problem(pointer, "a text is needed; it is not read"))
        return found if isinstance(found, str) else ""

    def number(self, found: Any, pointer: str) -> int | float | Decimal | None:
        """A number; None where there is none."""
        right = isinstance(found, int | float | Decimal) and not isinstance(found, bool)
        if found is not None and not right:
            self.problems.append(Problem(pointer, "a number is needed; it is not read"))
        return found if right else None

    def time(self, found: Any, pointer: str) -> str | None:
        """A time as ``xsd:dateTime``; None where there is none."""
        text = self.text(found, pointer)
        moment = Moment.parse(text) if text else None
        if text and moment is None:
            self.problems.append(Problem(pointer, "no time, such as 2026-01-31T10:00:00Z; it is not read"))
        return None if moment is None else moment.lexical

    def known(self, found: Mapping[str, Any], members: Iterable[str], pointer: str) -> None:
        """Name the members that the specification does not have: no statement is made of them."""
        for key in found.keys() - set(members):
            place = f"{pointer}/{escaped(key)}"
            self.problems.append(
                Problem(place, f"no member of the specification; it stays in the {self._record} alone")
            )
