"""The traversal across repositories, in rounds.

In each round the traversal is made over everything that was gathered so far. Each repository is asked about the things
that it reaches and that this repository was not asked about, at the level at which the traversal follows their
relations. The rounds end when there are no such things. Then the gathered index has, of every thing that the traversal
reaches, every relation that may be followed from it, from all repositories: the traversal over it is that over one
repository with all documents (``docs/adr/0022-lineage-across-repositories.md``).

A thing is known by its IRI, and asked about once at each repository and level. So cycles within and between
repositories end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from provrepo.limits import FEDERATED_RELATIONS, FEDERATED_REQUESTS, FEDERATED_THINGS, SURROUNDING_THINGS
from provrepo.repository.federation.laboratories import Laboratory, NoAnswer
from provrepo.repository.federation.reading import Answered, DescribedThing, MalformedAnswer, read
from provrepo.repository.federation.records import FederatedSource, Missing
from provrepo.repository.federation.surroundings import MOST_ASKED
from provrepo.views.lineage.gathered import Gathered
from provrepo.views.lineage.states import LEVELS, Options

__all__ = ["Budget", "Gathering", "MayAsk", "Participant"]

_AT_ONCE = 4
"""Peers that are asked at the same time; each answer may have 32 MB."""

_PATIENCE = 0.5
"""The share of the time that is left for one answer of a peer, so that a slow one leaves time to ask the others."""

_SHOWN = 20
"""Things that are named for each reason."""

MayAsk = Callable[["Participant", str, Sequence[FederatedSource]], bool]
"""Whether a repository may be asked about a thing, of which this repository knows by some sources."""

_PARTS = {True: "upstream", False: "downstream"}
_START = len(LEVELS) - 1


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of one traversal.

    Attributes:
        deadline: in seconds of ``time.monotonic``.
        things: the things after which no more are gathered.
        relations: the relations after which no more are gathered.
        requests: the most requests to peers.
    """

    deadline: float
    things: int = FEDERATED_THINGS
    relations: int = FEDERATED_RELATIONS
    requests: int = FEDERATED_REQUESTS


@dataclass(slots=True, eq=False)
class Participant:
    """A repository in one traversal.

    Attributes:
        laboratory: the repository.
        state: a state of ``LaboratoryReport``.
        message: the reason why it did not answer, for people.
        requests: the number of requests.
        asked: for each direction and thing the level at which all its relations are known.
        described: what it says about each thing.
        cut: the things of which some relations were left out.
        named: all things that it has named.
        repository: the UUID of the repository, as it says; empty where it does not.
    """

    laboratory: Laboratory
    state: str = "unasked"
    message: str = ""
    requests: int = 0
    asked: dict[str, dict[str, int]] = field(default_factory=lambda: {part: {} for part in _PARTS.values()})
    described: dict[str, DescribedThing] = field(default_factory=dict)
    cut: dict[str, None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    repository: str = ""

    @property
    def answers(self) -> bool:
        """Whether it may be asked: a repository that once did not answer is not asked again."""
        return self.state in ("unasked", "answered")


@dataclass(frozen=True, slots=True)
class _Question:
    """One request.

    Attributes:
        participant: the repository.
        direction: of the traversal.
        levels: for each thing the level.
        options: further arguments of ``surroundings``.
    """

    participant: Participant
    direction: str
    levels: Mapping[str, int]
    options: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The arguments of ``surroundings``."""
        by_level = {name: [iri for iri, at in self.levels.items() if at == level] for level, name in enumerate(LEVELS)}
        return {"direction": self.direction, **{k: v for k, v in by_level.items() if v}, **self.options}


class Gathering:
    """The rounds of one traversal.

    Attributes:
        index: everything that was gathered.
        sources: the sources of the relations in it, by their numbers from 1 on.
        participants: the repositories: this one first.
    """

    def __init__(
        self,
        index: Gathered,
        laboratories: Iterable[Laboratory],
        start: str,
        walks: Sequence[Options],
        budget: Budget,
        *,
        to: str | None = None,
        may_ask: MayAsk | None = None,
    ) -> None:
        """Begin; nobody is asked yet.

        Args:
            index: an empty index.
            laboratories: the repositories.
            start: the thing.
            walks: the options of each traversal.
            budget: the limits.
            to: the end of the paths to find; None for none.
            may_ask: whether a repository may be asked about a thing; None where it may be about each. It may always be
                asked about the start.
        """
        self.index = index
        self.participants = [Participant(laboratory) for laboratory in laboratories]
        self.sources: dict[FederatedSource, int] = {}
        self._start = start
        self._walks = walks
        self._budget = budget
        self._to = to
        self._filter = may_ask
        self._known: set[tuple[str, int, str, int, FederatedSource]] = set()
        self._described: set[str] = set()

    def run(self) -> None:
        """Ask until nothing remains to be asked, or a limit is reached."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="provrepo-federation") as threads:
            while not self._exhausted():
                questions = self._questions()
                if not questions:
                    return
                left = max(0.1, self._budget.deadline - time.monotonic())
                # This repository is asked in this thread: it stops when the client of this thread is gone.
                pending = [
                    (each, threads.submit(_ask, each, left * _PATIENCE))
                    for each in questions
                    if each.participant.laboratory.name is not None
                ]
                own = [each for each in questions if each.participant.laboratory.name is None]
                outcomes = [(each, _ask(each, left)) for each in own]
                outcomes += [(each, _result(future)) for each, future in pending]
                for question, outcome in outcomes:
                    self._take(question, outcome)

    def missing(self) -> list[Missing]:
        """What may be missing, by repository and reason."""
        reached = [self._reached(walk) for walk in self._walks]
        stopped = self._exhausted()
        found: list[Missing] = []
        for participant in self.participants:
            if participant.state == "itself":
                continue
            left: dict[str, dict[str, None]] = {}
            for walk, levels in zip(self._walks, reached, strict=True):
                asked = participant.asked[_PARTS[walk.upstream]]
                for iri, (level, _) in levels.items():
                    if asked.get(iri, -1) >= level:
                        continue
                    if not participant.answers:
                        reason = participant.message
                    elif not self._may_ask(participant, iri):
                        reason = "it was not asked, since nothing shows that it knows these things"
                    else:
                        reason = stopped or "it was not asked"
                    left.setdefault(reason, {})[iri] = None
            everywhere = set[str]().union(*reached)
            if cut := [iri for iri in participant.cut if iri in everywhere]:
                left["it has more relations than one answer has"] = dict.fromkeys(cut)
            name = participant.laboratory.name
            found += [Missing(name, reason, tuple(iris)[:_SHOWN], len(iris)) for reason, iris in left.items()]
        return found

    def _may_ask(self, participant: Participant, iri: str) -> bool:
        """Whether a repository may be asked about a thing."""
        if self._filter is None or iri in (self._start, self._to) or participant.laboratory.name is None:
            return True
        here = self.participants[0].described.get(iri)
        return self._filter(participant, iri, here.sources if here else ())

    def _exhausted(self) -> str:
        """The limit that was reached, for people; empty for none."""
        if time.monotonic() >= self._budget.deadline:
            return "there was no time left to ask it"
        if len(self._described) >= self._budget.things:
            return f"the limit of {self._budget.things:,} things was reached"
        if len(self._known) >= self._budget.relations:
            return f"the limit of {self._budget.relations:,} relations was reached"
        if sum(each.requests for each in self.participants if each.laboratory.name) >= self._budget.requests:
            return f"the limit of {self._budget.requests:,} requests was reached"
        return ""

    def _reached(self, walk: Options) -> dict[str, tuple[int, int]]:
        """The things that the traversal reaches, the nearest first, with level and distance."""
        reached = self.index.reached({self._start: _START}, walk)
        start = reached.pop(self._start, (_START, 0))
        found = {self._start: (max(start[0], _START), 0), **reached}
        if self._to is not None:
            found.setdefault(self._to, (0, 0))
        return found

    def _questions(self) -> list[_Question]:
        found: list[_Question] = []
        requests = self._budget.requests - sum(each.requests for each in self.participants if each.laboratory.name)
        for walk in self._walks:
            direction, reached = _PARTS[walk.upstream], self._reached(walk)
            for participant in filter(lambda each: each.answers, self.participants):
                asked = participant.asked[direction]
                levels = {
                    iri: reached[iri]
                    for iri in reached
                    if asked.get(iri, -1) < reached[iri][0] and (iri == self._start or self._may_ask(participant, iri))
                }
                if not levels:
                    continue
                if participant.laboratory.name is not None:
                    requests -= 1
                    if requests < 0:
                        return found
                found.append(self._question(participant, walk, levels))
        return found

    def _question(self, participant: Participant, walk: Options, levels: Mapping[str, tuple[int, int]]) -> _Question:
        first = dict(list(levels.items())[:MOST_ASKED])
        options: dict[str, Any] = {
            "limit": max(1, min(SURROUNDING_THINGS, self._budget.things - len(self._described))),
            "strict": walk.strict,
            "alternates": walk.alternates,
        }
        if walk.relations is not None:
            options["relations"] = sorted(walk.relations)
        if walk.stop:
            options["stop"] = sorted(walk.stop)
        if walk.depth is not None:
            # Of the things at the end the relations are needed too, to count what is beyond the depth.
            nearest = min(distance for _, distance in first.values())
            options["depth"] = walk.depth - nearest + 1
        return _Question(participant, _PARTS[walk.upstream], {iri: level for iri, (level, _) in first.items()}, options)

    def _take(self, question: _Question, outcome: Answered | NoAnswer) -> None:
        participant = question.participant
        participant.requests += 1
        if isinstance(outcome, NoAnswer):
            participant.state, participant.message = outcome.state, outcome.message
            return
        if not participant.answers:
            return  # another question of the same round failed
        participant.repository = outcome.repository
        here = self.participants[0]
        if participant is not here and here.repository and outcome.repository == here.repository:
            participant.state = "itself"
            participant.message = "it is this repository itself, or a copy of it, and what it says does not count twice"
            return
        participant.state = "answered"
        self._add(participant, outcome)
        asked = participant.asked[question.direction]
        known = {thing.iri: thing.level for thing in outcome.things}
        # A thing that is not in the answer is not known there.
        for iri, level in {**question.levels, **known}.items():
            asked[iri] = max(asked.get(iri, -1), known.get(iri, level))
        participant.cut.update(dict.fromkeys(outcome.cut))

    def _add(self, participant: Participant, answered: Answered) -> None:
        things = [thing for thing in answered.things if thing.iri not in participant.described]
        participant.described.update((thing.iri, thing) for thing in things)
        self._described.update(thing.iri for thing in things)
        participant.named.update(thing.iri for thing in things)
        participant.named.update(end for relation in answered.relations for end in (relation[0], relation[2]))
        new = [relation for relation in dict.fromkeys(answered.relations) if relation not in self._known]
        self._known.update(new)
        edges = [
            (subject, rule, upper, at, self.sources.setdefault(source, len(self.sources) + 1))
            for subject, rule, upper, at, source in new
        ]
        if things or edges:
            self.index.add([(thing.iri, thing.kinds, thing.label, thing.types) for thing in things], edges)


def _ask(question: _Question, seconds: float) -> Answered | NoAnswer:
    laboratory = question.participant.laboratory
    try:
        answer = laboratory.ask(question.to_dict(), seconds=seconds)
        return read(answer, laboratory.name, question.direction, question.levels)
    except NoAnswer as failure:
        return failure
    except MalformedAnswer as error:
        return NoAnswer("malformed", f"what it answered is not an answer: {error}")


def _result(future: Future[Answered | NoAnswer]) -> Answered | NoAnswer:
    return future.result()
