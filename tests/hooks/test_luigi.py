"""Tasks of Luigi, by its events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from provrepo.model.statements import COMMUNICATION
from provrepo.vocab import PROVREPO, SCHEMA
from tests.support.captured import Captured


def tasks(luigi: Any) -> tuple[Any, Any, Any, Any]:
    class Raw(luigi.Task):  # type: ignore[misc]
        def output(self) -> Any:
            return luigi.Target("raw.csv")

    class Clean(luigi.Task):  # type: ignore[misc]
        parameters = {"alpha": "1.0", "api_token": "hunter2"}  # noqa: RUF012

        def output(self) -> Any:
            return luigi.Target("clean.csv")

        def run(self) -> None:
            Path("clean.csv").write_text(Path("raw.csv").read_text("utf-8")[:2], "utf-8")

    class Mark(luigi.Task):  # type: ignore[misc]
        """Has no output."""

    class Publish(luigi.Task):  # type: ignore[misc]
        def output(self) -> Any:
            return luigi.Target("published.txt")

        def run(self) -> None:
            Path("published.txt").write_text("half", "utf-8")
            raise PermissionError("/srv/models")

    raw = Raw()
    clean = Clean([raw])
    mark = Mark([clean])
    return raw, clean, mark, Publish([clean, mark])


def test_tasks_use_what_they_require_and_generate_their_output(luigi: Any, recorded: Callable[[], Captured]) -> None:
    _, clean, mark, publish = tasks(luigi)
    assert not luigi.Worker(clean, mark, publish).run()
    found = recorded()
    assert found.problems("core", "pipeline") == []
    assert found.used == {("Clean", "raw.csv"), ("Mark", "clean.csv"), ("Publish", "clean.csv")}
    assert found.generated == {("clean.csv", "Clean")}
    assert found.sources() == {"raw.csv"}
    assert [found.status(name) for name in ("Clean", "Mark", "Publish")] == ["Completed", "Completed", "Failed"]
    assert found.parameters("Clean") == {"alpha=1.0", "api_token=(masked)"}
    assert "hunter2" not in found.path.read_text("utf-8")
    # Nothing passes from Mark to Publish, which had to wait for it.
    told = [(found.label(s.args[0]), found.label(s.args[1])) for s in found.document if s.kind is COMMUNICATION]
    assert told == [("Publish", "Mark")]
    (run,) = [s for s in found.activities() if found.values(s, SCHEMA + "error") == ["a task failed"]]
    assert {found.inside_of(s) for s in found.activities() if s is not run} == {found.label(run.id)}
    assert found.elements("Luigi 3.8.1")


def test_attempts_are_numbered(luigi: Any, recorded: Callable[[], Captured]) -> None:
    *_, publish = tasks(luigi)
    luigi.Worker(publish, attempts=2).run()
    numbers = [recorded().values(s, PROVREPO + "attempt") for s in recorded().elements("Publish")]
    assert sorted(numbers) == [["1"], ["2"]]


def test_a_task_that_waits_for_more_has_not_ended(luigi: Any, recorded: Callable[[], Captured]) -> None:
    _, clean, *_ = tasks(luigi)

    class Dynamic(luigi.Task):  # type: ignore[misc]
        waits = True

        def run(self) -> Any:
            waits, self.waits = self.waits, False
            return waits

    dynamic = Dynamic()
    assert luigi.Worker(dynamic, clean, dynamic).run()
    found = recorded()
    status = [found.values(s, SCHEMA + "actionStatus")[0] for s in found.elements("Dynamic")]
    assert sorted(status) == [SCHEMA + "ActiveActionStatus", SCHEMA + "CompletedActionStatus"]


def test_a_failure_of_the_hook_does_not_reach_the_task(luigi: Any, folder: Path) -> None:
    _, clean, *_ = tasks(luigi)
    clean.to_str_params = clean.deps = lambda **_: 1 / 0
    assert luigi.Worker(clean).run()
    assert (folder / "clean.csv").exists()
