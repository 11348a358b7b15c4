"""The actions of a crate as activities: what they used and generated, who and what carried them out, in which run.

Process, Workflow and Provenance Run Crate 0.1 to 0.5: a ``CreateAction`` is the run of a tool or workflow, an
``OrganizeAction`` that of an engine, whose ``result`` is the run of a workflow, and a ``ControlAction`` that of a step.
"""

from __future__ import annotations

from collections import defaultdict

from provrepo.importers.json_values import Problem
from provrepo.importers.moments import Moment
from provrepo.importers.names import segment
from provrepo.importers.rocrate.graph import Crate, Node, Ref
from provrepo.importers.rocrate.things import Things, did_run, label_of
from provrepo.importers.runs import ACTIVE, COMPLETED, FAILED, part_of, status
from provrepo.importers.statements import Statements, link, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ASSOCIATION, DELEGATION, DERIVATION, GENERATION, SPECIALIZATION, USAGE
from provrepo.vocab import PROV, PROV_ROLE, PROV_TYPE, PROVREPO, RDFS_LABEL, SCHEMA

__all__ = ["Runs"]

_STATUS = {"CompletedActionStatus": COMPLETED, "FailedActionStatus": FAILED, "ActiveActionStatus": ACTIVE}
_OF_PROFILE = frozenset(f"{name}Action" for name in ("Create", "Update", "Activate", "Control", "Organize"))
_STATED = ("name", "startTime", "endTime", "actionStatus", "object", "result", "instrument", "agent", "containerImage")


class Runs:
    """States the runs of a crate."""

    def __init__(self, crate: Crate, things: Things, statements: Statements) -> None:
        """Find out which action made what, and which is a part of which."""
        self._crate, self._things, self._statements = crate, things, statements
        self.actions = [node for node in crate.nodes.values() if did_run(node)]
        self._whole = _Containment(crate, self.actions)
        self._examples: dict[str, list[str]] = defaultdict(list)
        for node in crate.nodes.values():
            if "FormalParameter" in node.types:
                for example in node.refs("workExample"):
                    self._examples[example].append(node.id)
        self._made_by: dict[str, list[Node]] = defaultdict(list)
        for action in self.actions:
            if self._status(action) != FAILED:
                for found in action.refs("result"):
                    thing = crate.node(found)
                    if thing is None or not did_run(thing):
                        self._made_by[thing.id if thing else found].append(action)
        self._last = {thing: self._final(makers) for thing, makers in self._made_by.items()}
        things.made.update(self._made_by)

    def state(self) -> None:
        """State all of them."""
        for action in self.actions:
            self._state(action)

    def _state(self, action: Node) -> None:
        found = self._status(action)
        self._say_status(action)
        run = self._statements.activity(
            action.iri,
            self._crate.moment(action, "startTime"),
            self._crate.moment(action, "endTime"),
            words(RDFS_LABEL, label_of(action)),
            status(found),
            self._things.attributes(action, *_STATED),
            types=[f"{SCHEMA}{kind}" for kind in sorted(action.types) if kind.endswith("Action")],
        )
        whole = self._whole.of(action)
        if whole is not None:
            workflow = self._whole.workflow_of(action)
            more = part_of(self._statements, run, whole.iri, workflow.iri if workflow is not None else "")
            self._statements.activity(run, None, None, more)
        self._carried_out(action, run)
        self._used(action, run)
        self._generated(action, run, failed=found == FAILED)

    # --- who and how -----------------------------------------------------------------------------------------------

    def _status(self, action: Node) -> str:
        """The status of an action. One that states none, and no error, has completed (Process Run Crate 0.5)."""
        stated = [each.id if isinstance(each, Ref) else str(each) for each in action.values.get("actionStatus", ())]
        for each in stated:
            name = each.rpartition("/")[2].rpartition(":")[2].rpartition("#")[2]
            if name in _STATUS:
                return _STATUS[name]
        if action.values.get("error"):
            return FAILED
        return COMPLETED if not stated and action.types & _OF_PROFILE else ""

    def _say_status(self, action: Node) -> None:
        if action.values.get("actionStatus") and not self._status(action):
            message = "no status of an action that ran: CompletedActionStatus, FailedActionStatus or ActiveActionStatus"
            self._crate.problems.append(Problem(f"{action.pointer}/actionStatus", message))

    def _carried_out(self, action: Node, run: Identifier) -> None:
        instruments = action.refs("instrument")
        for each in action.values.get("instrument", []):
            if not isinstance(each, Ref):
                message = "a text, and no node that describes the software; it is kept as a text"
                self._crate.problems.append(Problem(f"{action.pointer}/instrument", message))
                self._statements.activity(run, None, None, words(f"{SCHEMA}instrument", each))
        people = [self._things.agent(found) for found in action.refs("agent")]
        for each in action.values.get("agent", []):
            if not isinstance(each, Ref):
                self._statements.activity(run, None, None, words(f"{SCHEMA}agent", each))
        plans, software = [], []
        for found in instruments:
            node = self._crate.node(found)
            if node is None or self._things.is_plan(node):
                plans.append(self._things.plan(found))
            else:
                software.append(self._things.agent(found))
        engines = [self._things.agent(found) for found in self._whole.engines_of(action)]
        carriers = people or software or engines
        if not carriers and not action.types & {"ControlAction"}:
            carriers = software = [self._things.agent(found) for found in instruments]
        for number, carrier in enumerate(carriers):
            first = plans[0] if plans and not number else None
            self._statements.relate(ASSOCIATION, run, carrier, first)
        for plan in plans[1:] if carriers else plans:
            self._statements.relate(ASSOCIATION, run, None, plan)
        for agent in dict.fromkeys([*software, *engines]):
            if agent not in carriers:
                self._statements.relate(ASSOCIATION, run, agent, None)
            for person in people:
                self._statements.relate(DELEGATION, agent, person, run)

    # --- what ------------------------------------------------------------------------------------------------------

    def _used(self, action: Node, run: Identifier) -> None:
        configures = "OrganizeAction" in action.types
        for each in action.values.get("object", []):
            node = self._crate.node(each.id) if isinstance(each, Ref) else None
            if not isinstance(each, Ref):
                self._plain(action, "object", each)
            elif node is None or not did_run(node):
                used = self._read(action, each.id)
                roles = self._roles(action, node, "input") or (["configuration"] if configures else [])
                self._use(run, used, roles)
        for each in action.values.get("environment", []):
            if isinstance(each, Ref):
                used = self._things.entity(each.id)
                node = self._crate.node(each.id)
                name = node.text("name") if node is not None else ""
                self._use(run, used, self._roles(action, node, "environment") or [name])
            else:
                self._plain(action, "environment", each)
        for each in action.values.get("containerImage", []):
            image = self._things.image(each, f"{action.pointer}/containerImage")
            if image is not None:
                self._use(run, image, ["container image"])

    def _use(self, run: Identifier, used: str, roles: list[str]) -> None:
        for role in roles or [""]:
            self._statements.relate(USAGE, run, used, attributes=words(PROV_ROLE, role))

    def _generated(self, action: Node, run: Identifier, *, failed: bool) -> None:
        for each in action.values.get("result", []):
            node = self._crate.node(each.id) if isinstance(each, Ref) else None
            if not isinstance(each, Ref):
                self._plain(action, "result", each)
            elif node is not None and did_run(node):
                continue
            elif failed:
                # A run that failed generated nothing: what it left behind is named, and stays in the crate.
                left = self._things.entity(each.id)
                self._statements.activity(run, None, None, [link(f"{SCHEMA}result", left)])
            else:
                entity = self._written(action, node.id if node else each.id)
                for role in self._roles(action, node, "output") or [""]:
                    self._statements.relate(GENERATION, entity, run, attributes=words(PROV_ROLE, role))

    def _plain(self, action: Node, name: str, found: object) -> None:
        message = "a text, and no reference to a node; it is kept as an attribute"
        self._crate.problems.append(Problem(f"{action.pointer}/{name}", message))
        self._statements.activity(action.iri, None, None, words(f"{SCHEMA}{name}", found))

    def _roles(self, action: Node, node: Node | None, side: str) -> list[str]:
        """The names of the formal parameters of the instrument that a thing realizes; of any, if none is of it."""
        if node is None:
            return []
        realized = dict.fromkeys(node.refs("exampleOfWork"))
        realized.update(dict.fromkeys(self._examples.get(node.id, ())))
        own = {name for found in action.refs("instrument") for name in self._parameters(found, side)}
        chosen = [name for name in realized if name in own] or ([] if own else list(realized))
        parameters = [self._crate.node(name) for name in chosen]
        names = [label_of(parameter) for parameter in parameters if parameter is not None]
        if not names and "PropertyValue" in node.types:
            return [node.text("name")] if node.text("name") else []
        return list(dict.fromkeys(names))

    def _parameters(self, instrument: str, side: str) -> list[str]:
        node = self._crate.node(instrument)
        return node.refs(side) if node is not None else []

    # --- versions --------------------------------------------------------------------------------------------------

    def _final(self, makers: list[Node]) -> Node:
        """The action that made the version of a thing that the crate describes: the last of its makers."""
        found = sorted(self._independent(makers), key=lambda action: (*_time(action), action.id))
        if len(found) > 1 and _time(found[-1]) == _time(found[-2]):
            message = "another action has the same result at the same time, or has no time: which was last is a guess"
            self._crate.problems.append(Problem(f"{found[-1].pointer}/result", message))
        return found[-1]

    def _independent(self, makers: list[Node]) -> list[Node]:
        """Those that no other of them is a part of: the run of a workflow generates what its steps do."""
        wholes = {whole.id for action in makers for whole in self._whole.chain(action)}
        return [action for action in makers if action.id not in wholes] or makers[:1]

    def _written(self, action: Node, thing: str) -> Identifier:
        """The version of a thing that an action made: what was written again later is a version of its own."""
        last = self._last[thing]
        inner = self._independent(self._made_by[thing])
        if action.id == last.id or action.id not in {each.id for each in inner}:
            return self._things.entity(thing)
        return self._other(thing, f"made-by/{segment(action.id)}", generated=True)

    def _read(self, action: Node, identifier: str) -> Identifier:
        """The version of a thing that an action used."""
        node = self._crate.node(identifier)
        thing = node.id if node is not None else identifier
        makers = self._made_by.get(thing, [])
        inner = self._independent(makers)
        if action in makers and len(inner) == 1:
            # It is changed in place: what was there before is another version.
            before = self._other(thing, f"before/{segment(action.id)}", generated=False)
            self._statements.relate(
                DERIVATION,
                self._things.entity(thing),
                before,
                action.iri,
                attributes=[link(PROV_TYPE, f"{PROV}Revision")],
            )
            return before
        if len(inner) > 1:
            start = _moment(action.text("startTime"))
            earlier = [each for each in inner if each is not action and _time(each) <= start]
            if earlier and self._last[thing] not in earlier:
                return self._written(max(earlier, key=lambda each: (*_time(each), each.id)), thing)
        return self._things.entity(thing)

    def _other(self, thing: str, path: str, *, generated: bool) -> Identifier:
        described = self._things.entity(thing)
        node = self._crate.node(thing)
        label = label_of(node) if node is not None else thing
        general = f"{self._crate.base}path/{segment(thing)}"
        self._statements.entity(general, words(RDFS_LABEL, label), types=[f"{PROVREPO}Source"])
        self._statements.relate(SPECIALIZATION, described, general)
        types = [] if generated else [f"{PROVREPO}Source"]
        other = self._statements.entity(f"{general}/{path}", words(RDFS_LABEL, label), types=types)
        self._statements.relate(SPECIALIZATION, other, general)
        return other


class _Containment:
    """Which action is a part of which."""

    def __init__(self, crate: Crate, actions: list[Node]) -> None:
        self._crate = crate
        self._above: dict[str, Node] = {}
        self._engines: dict[str, list[str]] = {}
        self._workflows: dict[str, list[str]] = defaultdict(list)
        for node in crate.nodes.values():
            if "ComputationalWorkflow" in node.types:
                for part in node.refs("hasPart"):
                    self._workflows[part].append(node.id)
        of_instrument: dict[str, list[Node]] = defaultdict(list)
        for action in actions:
            for found in action.refs("instrument"):
                of_instrument[found].append(action)
        for action in actions:
            if "OrganizeAction" in action.types:
                self._organized(action)
        self._steps(actions, of_instrument)
        for action in actions:
            for workflow in [found for tool in action.refs("instrument") for found in self._workflows.get(tool, ())]:
                runs = of_instrument.get(workflow, [])
                if action.id not in self._above and len(runs) == 1 and runs[0] is not action:
                    self._put(action, runs[0])
        self._break_cycles(actions)

    def of(self, action: Node) -> Node | None:
        """The action that an action is directly a part of."""
        return self._above.get(action.id)

    def chain(self, action: Node) -> list[Node]:
        """All actions that an action is a part of, the innermost first."""
        found, whole = [], self._above.get(action.id)
        while whole is not None:
            found.append(whole)
            whole = self._above.get(whole.id)
        return found

    def workflow_of(self, action: Node) -> Node | None:
        """The run of the outermost workflow that an action is a part of."""
        runs = [whole for whole in self.chain(action) if not whole.types & {"OrganizeAction", "ControlAction"}]
        return runs[-1] if runs else None

    def engines_of(self, action: Node) -> list[str]:
        """The engines that carried out an action: those of the workflow run that it is, or is a part of."""
        return next((self._engines[each.id] for each in [action, *self.chain(action)] if each.id in self._engines), [])

    def _organized(self, action: Node) -> None:
        results = [node for node in map(self._crate.node, action.refs("result")) if node is not None]
        for run in results:
            if did_run(run):
                self._put(run, action)
                self._engines[run.id] = action.refs("instrument")
        runs = [run for run in results if did_run(run)]
        for found in action.refs("object"):
            step = self._crate.node(found)
            if step is not None and did_run(step):
                self._put(step, runs[0] if runs else action)

    def _steps(self, actions: list[Node], of_instrument: dict[str, list[Node]]) -> None:
        """Actions of steps contain those of tools. They are in the run of their workflow, if there is only one."""
        of_step = {step: node.id for node in self._crate.nodes.values() for step in node.refs("step")}
        for action in actions:
            if "ControlAction" not in action.types:
                continue
            for found in action.refs("instrument"):
                runs = of_instrument.get(of_step.get(found, ""), [])
                if len(runs) == 1:
                    self._above[action.id] = runs[0]
            for found in action.refs("object"):
                run = self._crate.node(found)
                if run is not None and did_run(run):
                    self._put(run, action)

    def _put(self, action: Node, whole: Node) -> None:
        if action.id != whole.id:
            self._above.setdefault(action.id, whole)

    def _break_cycles(self, actions: list[Node]) -> None:
        for action in actions:
            seen, each = {action.id}, self._above.get(action.id)
            while each is not None and each.id not in seen:
                seen.add(each.id)
                each = self._above.get(each.id)
            if each is not None:
                message = "the actions that it is a part of are a part of it; it is a part of none"
                self._crate.problems.append(Problem(action.pointer, message))
                self._above.pop(action.id)


def _moment(text: str) -> tuple[int, str]:
    moment = Moment.parse(text) if text else None
    return (moment.instant, moment.fraction) if moment is not None else (1 << 62, "")


def _time(action: Node) -> tuple[int, str]:
    """When an action ended, or else began; those without a time come last."""
    return _moment(action.text("endTime", "startTime"))
