"""What is known to be wrong in the documents of CWLProv 0.6, as cwltool writes them, and how it is mended.

Each kind is counted, and named in a warning:

* The start of an activity has two times, in ``activity`` and in ``wasStartedBy``, which rule 28 of PROV-CONSTRAINTS
  forbids. That of ``wasStartedBy`` is taken. Activities get the times of their starts and ends.
* An account and an engine, which are agents, start and end things as if they were activities.
* A value such as ``"clean.csv"`` is named by the digest of its text, which connects all runs with an equal value.
* An empty file is the same content as every other empty file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from provrepo.importers.contents import content_of
from provrepo.importers.names import segment
from provrepo.importers.statements import link, typed, words
from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.statements import (
    ACTIVITY,
    AGENT,
    DELEGATION,
    END,
    ENTITY,
    GENERATION,
    SPECIALIZATION,
    START,
    USAGE,
    Attribute,
    Statement,
    Term,
)
from provrepo.vocab import DCAT, DCTERMS, PROV_LABEL, PROV_TYPE, PROV_VALUE, PROVREPO, RDFS_LABEL, SCHEMA, SPDX, WFPROV

__all__ = ["Mending"]

_DATA = "urn:hash::sha1:"
_BASENAME = "https://w3id.org/cwl/prov#basename"
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")

_TWICE = "an activity has two times of its start, in activity and wasStartedBy; the one in wasStartedBy is taken"
_ACCOUNTS = (
    "an agent that is no activity starts or ends something: the time stays, and delegation says for whom it acted"
)
_VALUES = "a value has the digest of its text as its name, which other runs use, too; it has a name of its own here"
_EMPTY = "an empty file is a version of the content of all empty files; it is no version of it here"


class Mending:
    """Mends the statements of one research object.

    Attributes:
        zoneless: the number of times without a zone.
    """

    def __init__(self, base: str, known: Mapping[str, Mapping[str, object]], names: Mapping[str, str]) -> None:
        """Begin.

        Args:
            base: the beginning of minted IRIs.
            known: SHA-1 of a file → its size and digests.
            names: SHA-1 of a file → its name.
        """
        self._base, self._known, self._names = base, known, names
        self._counts: Counter[str] = Counter()
        self.zoneless = 0

    def findings(self) -> list[str]:
        """What was mended, one sentence for each kind."""
        kinds = (_TWICE, _ACCOUNTS, _VALUES, _EMPTY)
        return [
            text if count == 1 else f"{text} (and {count - 1:,} more)"
            for text in kinds
            if (count := self._counts[text])
        ]

    def mended(self, statements: Iterable[Statement]) -> list[Statement]:
        """The statements, mended, each once."""
        found = list(dict.fromkeys(statements))
        self.zoneless = sum(
            isinstance(term, str) and argument.time and not _ZONE.search(term)
            for one in found
            for argument, term in zip(one.kind.arguments, one.args, strict=True)
        )
        self._activities = {one.id for one in found if one.kind is ACTIVITY}
        self._agents = {one.id for one in found if one.kind is AGENT} - self._activities
        self._values = {str(one.id): self._renamed(one) for one in found if self._is_value(one)}
        self._counts[_VALUES] = len(self._values)
        self._times = self._of_events(found)
        self._wholes = {
            str(one.args[0]): str(one.args[2]) for one in found if one.kind is START and one.args[2] in self._activities
        }
        made = {one.args[0] for one in found if one.kind is GENERATION}
        sources = {one.args[1] for one in found if one.kind is USAGE} - made
        stated = [each for one in found for each in self._mend(one)]
        stated += [
            Statement(ENTITY, Identifier(name), (), ((Identifier(PROV_TYPE), Identifier(f"{PROVREPO}Source")),))
            for name in sorted(self._values.get(name, name) for name in sources if name is not None)
        ]
        return list(dict.fromkeys(self._labelled(stated)))

    def _is_value(self, one: Statement) -> bool:
        return one.kind is ENTITY and str(one.id).startswith(_DATA) and any(n == PROV_VALUE for n, _ in one.attributes)

    def _renamed(self, one: Statement) -> Identifier:
        return Identifier(f"{self._base}value/{segment(str(one.id).removeprefix(_DATA))}")

    def _of_events(self, found: list[Statement]) -> dict[str, tuple[Term, Term]]:
        """The first start and the last end of each activity: two documents are about a nested workflow."""
        times: dict[str, tuple[Term, Term]] = {}
        for one in found:
            activity = one.args[0] if one.args else None
            if one.kind in (START, END) and activity is not None and one.args[3] is not None:
                start, end = times.get(activity, (None, None))
                if one.kind is START:
                    start = min(filter(None, (start, one.args[3])), key=str)
                else:
                    end = max(filter(None, (end, one.args[3])), key=str)
                times[activity] = start, end
        return times

    def _mend(self, one: Statement) -> Iterable[Statement]:
        if one.kind is ACTIVITY and one.id is not None:
            yield self._activity(one, one.id)
        elif one.kind in (START, END):
            yield from self._event(one)
        elif one.kind is SPECIALIZATION and str(one.args[1]).startswith(_DATA):
            yield from self._specialization(one)
        else:
            args = tuple(self._values.get(arg, arg) if isinstance(arg, Identifier) else arg for arg in one.args)
            name = self._values.get(str(one.id), one.id) if one.kind is ENTITY else one.id
            yield Statement(one.kind, name, args, one.attributes, one.span, one.entries)

    def _activity(self, one: Statement, name: Identifier) -> Statement:
        start, end = self._times.get(name, (None, None))
        self._counts[_TWICE] += start is not None and one.args[0] not in (None, start)
        whole = self._wholes.get(name, "")
        more: tuple[Attribute, ...] = ()
        if whole in self._activities and whole != name:
            workflow, seen = whole, {str(name)}
            while self._wholes.get(workflow) in self._activities and workflow not in seen:
                seen.add(workflow)
                workflow = self._wholes[workflow]
            more = (link(f"{DCTERMS}isPartOf", str(whole)), link(f"{WFPROV}wasPartOfWorkflowRun", str(workflow)))
        return Statement(ACTIVITY, name, (start or one.args[0], end or one.args[1]), (*one.attributes, *more), one.span)

    def _event(self, one: Statement) -> Iterable[Statement]:
        """A start or end. An agent is no activity: it acts for what it starts, or is left out."""
        subject, trigger, other, time = one.args
        if subject is not None and subject in self._times:
            time = self._times[subject][one.kind is END]
        if other in self._agents:
            self._counts[_ACCOUNTS] += 1
            if subject in self._agents and one.kind is START:
                yield Statement(DELEGATION, None, (subject, other, None))
            other = None
        if subject not in self._agents and (trigger or other or time):
            yield Statement(one.kind, one.id, (subject, trigger, other, time), one.attributes, one.span)

    def _specialization(self, one: Statement) -> Iterable[Statement]:
        """A file and its content: with the other digests of the file in the bag, and without the content of nothing."""
        digest = str(one.args[1]).removeprefix(_DATA)
        if content_of("sha1", digest) is None and len(digest) == 40:
            self._counts[_EMPTY] += 1
            return
        if one.args[1] not in self._values:
            yield one
        known = self._known.get(digest, {})
        attributes: list[Attribute] = words(f"{SPDX}checksumValue", f"sha1:{digest}")
        for algorithm, found in sorted(known.items()):
            content = content_of(algorithm, str(found)) if algorithm not in ("size", "sha1") else None
            if content is not None:
                yield Statement(ENTITY, Identifier(content), ())
                yield Statement(SPECIALIZATION, None, (one.args[0], Identifier(content)))
        if isinstance(known.get("sha256"), str):
            attributes += words(f"{SCHEMA}sha256", known["sha256"])
        if isinstance(known.get("size"), int):
            attributes.append(typed(f"{DCAT}byteSize", str(known["size"]), "integer"))
        if digest in self._names:
            attributes += words(RDFS_LABEL, self._names[digest])
        file = one.args[0]
        yield Statement(ENTITY, file if isinstance(file, Identifier) else None, (), tuple(attributes))

    def _labelled(self, statements: list[Statement]) -> Iterable[Statement]:
        """Files have their names as labels, where they have none."""
        labelled = {one.id for one in statements if any(name in (RDFS_LABEL, PROV_LABEL) for name, _ in one.attributes)}
        for one in statements:
            named = next((value for name, value in one.attributes if name == _BASENAME), None)
            if one.kind is ENTITY and one.id not in labelled and isinstance(named, Literal):
                label = (Identifier(RDFS_LABEL), Literal(named.lexical))
                yield Statement(ENTITY, one.id, one.args, (*one.attributes, label), one.span)
            else:
                yield one
