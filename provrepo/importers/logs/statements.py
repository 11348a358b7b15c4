"""The statements about the runs of a log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provrepo.importers.logs.clock import shifted
from provrepo.importers.logs.mapping import Mapping as LogMapping
from provrepo.importers.logs.records import File, Records, Run
from provrepo.importers.masking import masked, without_login
from provrepo.importers.moments import Moment
from provrepo.importers.names import segment
from provrepo.importers.persons import person
from provrepo.importers.runs import (
    ACTIVE,
    COMPLETED,
    FAILED,
    part_of,
    state_metric,
    state_parameter,
    status,
)
from provrepo.importers.statements import Statements, json_value, link, value, words
from provrepo.importers.versions import Span, Versions
from provrepo.model.statements import ASSOCIATION, DELEGATION, GENERATION, USAGE, Attribute
from provrepo.vocab import DCTERMS, MLS, PROV, PROV_ROLE, PROVREPO, RDFS, RDFS_LABEL, SCHEMA

__all__ = ["state_runs"]

_STATUSES = {"completed": COMPLETED, "failed": FAILED, "active": ACTIVE}

Report = Callable[[int, str], None]


class _Timed(NamedTuple):
    run: Run
    start: Moment | None
    end: Moment | None
    state: str
    span: Span

    @property
    def made(self) -> bool:
        """Whether it generated its outputs: a run that failed, or is not known to have ended, did not."""
        return self.state in ("", "completed")


def state_runs(statements: Statements, root: str, mapping: LogMapping, records: Records, report: Report) -> None:
    """State what a log says of its runs.

    Args:
        statements: the document.
        root: the beginning of the IRIs of this log, which ends with a slash.
        mapping: of the log.
        records: its runs.
        report: called with a line and what is wrong there.
    """
    _Runs(statements, root, mapping, records.runs, report).state()


class _Runs:
    def __init__(
        self, statements: Statements, root: str, mapping: LogMapping, runs: Mapping[str, Run], report: Report
    ) -> None:
        self._statements, self._root, self._mapping, self._runs, self._report = statements, root, mapping, runs, report
        self._versions = Versions(statements, root)

    def state(self) -> None:
        timed = [self._timed(run) for run in self._runs.values()]
        outputs = [
            (each, [(file, self._written(each, file)) for file in sorted(each.run.outputs)] if each.made else [])
            for each in timed
        ]
        for each, written in outputs:
            activity = self._activity(each)
            for file in sorted(each.run.inputs):
                read = self._versions.read(file.path, each.run.key, each.span, file.digests)
                self._statements.relate(USAGE, activity, read, attributes=words(PROV_ROLE, file.role))
            for file, version in written:
                end = each.end.lexical if each.end else None
                self._statements.relate(GENERATION, version, activity, end, attributes=words(PROV_ROLE, file.role))

    def _written(self, timed: _Timed, file: File) -> str:
        return self._versions.write(file.path, timed.run.key, timed.span, file.digests)

    def _name(self, key: str) -> str:
        return f"{self._root}run/{segment(key)}"

    # Fields -------------------------------------------------------------------------------------------------------

    def _one(self, run: Run, name: str) -> str:
        """The value of a field: that of the log, or the constant."""
        found = run.texts(name)
        if len(found) > 1:
            shown = ", ".join(repr(masked(each)[:100]) for each in found[:3])
            self._report(
                run.lines[0], f"run {run.key[:100]} has {len(found)} values of {name}: {shown}; the first counts"
            )
        return found[0] if found else self._mapping.constants.get(name, "")

    def _timed(self, run: Run) -> _Timed:
        starts = self._moments(run, "start", end=False) + self._moments(run, "time", end=False)
        ends = self._moments(run, "end", end=True) + self._moments(run, "time", end=True)
        start, end = min(starts, default=None), max(ends, default=None)
        duration = self._one(run, "duration")
        if duration and (start is None) != (end is None):
            try:
                if start is not None:
                    end = shifted(start, duration, back=False)
                elif end is not None:
                    start = shifted(end, duration, back=True)
            except ValueError as error:
                self._report(run.lines[0], str(error))
        order = self._mapping.layout.order
        place = (run.lines[0] if order == "oldest-first" else -run.lines[-1]) if order else None
        return _Timed(run, start, end, self._state(run), Span(start, end, place))

    def _moments(self, run: Run, name: str, *, end: bool) -> list[Moment]:
        found = []
        for text in run.texts(name):
            try:
                moment, unclear = self._mapping.clock.read(text, end=end)
            except ValueError as error:
                self._report(run.lines[0], f"{name}: {error}; it is not read")
                continue
            if unclear:
                self._report(run.lines[0], unclear)
            found.append(moment)
        return found

    def _state(self, run: Run) -> str:
        """The state of a run: failed if one of its rows says so, active if none says that it ended."""
        texts = run.texts("status") or list(filter(None, [self._mapping.constants.get("status", "")]))
        found = set()
        for text in texts:
            state = self._mapping.states.get(text.casefold()) or self._mapping.otherwise
            if not state and text.lstrip("-").isdigit() and "completed" in self._mapping.states.values():
                state = "failed" if text.strip("0") else "completed"
            if not state:
                shown = masked(text)[:100]
                self._report(
                    run.lines[0], f"the status {shown!r} is not in [status]; outputs of the run are not stated as made"
                )
            found.add(state or "unknown")
        return next((state for state in ("failed", "unknown", "completed", "active") if state in found), "")

    # The activity -------------------------------------------------------------------------------------------------

    def _activity(self, timed: _Timed) -> str:
        run, statements = timed.run, self._statements
        name = self._one(run, "name")
        attributes: list[Attribute] = [
            *words(RDFS_LABEL, name or run.key),
            *status(_STATUSES.get(timed.state, "")),
            *(each for text in run.texts("note") or [self._one(run, "note")] for each in words(f"{RDFS}comment", text)),
            *words(f"{SCHEMA}isPartOf", self._one(run, "project")),
            *self._details(timed),
        ]
        if "id" in self._mapping.run:
            attributes += words(f"{DCTERMS}identifier", run.key)
        if not timed.made:
            for file in sorted(run.outputs):
                attributes += self._versions.intended(file.path)
        activity = statements.activity(
            self._name(run.key), timed.start and timed.start.lexical, timed.end and timed.end.lexical, attributes
        )
        if parent := self._parent(run):
            whole = self._name(parent)
            if parent in self._runs:
                statements.activity(activity, None, None, part_of(statements, activity, whole))
            else:  # it is described elsewhere
                statements.activity(activity, None, None, [link(f"{DCTERMS}isPartOf", whole)])
        self._associate(run, activity, self._plan(run, name))
        for key, values in sorted(run.parameters.items()):
            for number, (found, hyper) in enumerate(sorted(values, key=repr)):
                place = f"{activity}/parameter/{segment(key)}" + (f"/{number + 1}" if number else "")
                types = [f"{MLS}HyperParameterSetting"] if hyper else []
                state_parameter(statements, place, activity, key, found, types=types)
        if timed.made:
            self._metrics(timed, activity)
        return activity

    def _metrics(self, timed: _Timed, activity: str) -> None:
        for (name, step), values in sorted(timed.run.metrics.items()):
            for number, found in enumerate(sorted(values, key=repr)):
                place = f"{activity}/metric/{segment(name)}" + (f"/{segment(step)}" if step else "")
                place += f"/{number + 1}" if number else ""
                more = value(f"{SCHEMA}position", int(step) if step.isascii() and step.isdigit() else step or None)
                end = timed.end.lexical if timed.end else ""
                state_metric(self._statements, place, activity, name, found, more, time=end)

    def _details(self, timed: _Timed) -> list[Attribute]:
        """What no statement is made of, as JSON: columns that are not mapped, and metrics of a run that failed."""
        kept: dict[str, Any] = {
            name: next(iter(values.values())) if len(values) == 1 else [values[key] for key in sorted(values)]
            for name, values in sorted(timed.run.details.items())
        }
        if commands := timed.run.texts("command") or list(filter(None, [self._one(timed.run, "command")])):
            kept["command"] = commands[0] if len(commands) == 1 else commands
        if not timed.made and timed.run.metrics:
            kept["metrics"] = {
                " ".join(filter(None, key)): [str(each) for each in sorted(values, key=repr)]
                for key, values in sorted(timed.run.metrics.items())
            }
        return [json_value(f"{PROVREPO}details", kept)] if kept else []

    def _parent(self, run: Run) -> str:
        """The run that a run is a part of; empty if there is none, or if it is a part of itself."""
        parent = found = self._one(run, "part_of")
        seen = {run.key}
        while parent:
            if parent in seen:
                self._report(run.lines[0], f"run {run.key[:100]} would be a part of itself; part_of is not read")
                return ""
            seen.add(parent)
            above = self._runs.get(parent)
            parent = next(iter(above.texts("part_of")), "") if above else ""
        return found

    def _plan(self, run: Run, name: str) -> str | None:
        text = self._one(run, "plan") or name
        if not text:
            return None
        plan = f"{self._root}plan/{segment(text)}"
        return self._statements.entity(plan, words(RDFS_LABEL, without_login(text)), types=[f"{PROV}Plan"])

    def _associate(self, run: Run, activity: str, plan: str | None) -> None:
        people = [self._person(run, text) for text in run.texts("agent") or [self._one(run, "agent")] if text]
        software = self._one(run, "software")
        if software:
            version = self._one(run, "software_version")
            agent = self._statements.agent(
                f"{self._root}software/{segment(software)}" + (f"/{segment(version)}" if version else ""),
                words(RDFS_LABEL, software),
                words(f"{SCHEMA}softwareVersion", version),
                types=[f"{PROV}SoftwareAgent"],
            )
            self._statements.relate(ASSOCIATION, activity, agent, plan)
            for each in people:
                self._statements.relate(DELEGATION, agent, each, activity)
        for each in people:
            self._statements.relate(ASSOCIATION, activity, each, plan)
        if plan and not software and not people:
            self._statements.relate(ASSOCIATION, activity, None, plan)
        if not software and not people:
            text = "nothing says who did it; map a column to agent or software, or state it in [constants]"
            self._report(run.lines[0], text)

    def _person(self, run: Run, text: str) -> str:
        try:
            found = person(text)
        except ValueError as error:
            self._report(run.lines[0], f"agent: {error}; it is taken as a name")
            found = person("")._replace(name=text)
        name = found.iri or f"{self._root}agent/{segment(found.name)}"
        return self._statements.agent(name, words(RDFS_LABEL, found.name or text), types=[f"{PROV}Person"])
