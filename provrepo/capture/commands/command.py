"""``provrepo run``: records a command as a step, with the files that its Python processes open and that globs name."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from provrepo._version import __version__
from provrepo.capture.activities import Activity
from provrepo.capture.child.provrepo_child import Reporter
from provrepo.capture.commands.processes import Abandoned, Process, as_by_a_shell
from provrepo.capture.facts import plans
from provrepo.capture.failures import contained, enabled
from provrepo.capture.files import reports
from provrepo.capture.files.digests import Pending, Signature, absolute, signature
from provrepo.capture.files.hook import yield_to
from provrepo.capture.journal.events import SUFFIX, Event, reports_folder
from provrepo.capture.recorder import Recorder
from provrepo.capture.sessions import default_name, document_path
from provrepo.model.secrets import command as without_secrets_in

__all__ = ["run"]

WRITTEN = 2000
"""Characters of each word of a command that are recorded."""
_SHELL = re.compile(r"(ba|da|k|z|fi)?sh")
_INTERPRETER = re.compile(r"(python|pypy|perl|ruby|node|julia|Rscript|octave|php|lua)[0-9.]*")
_LINE = re.compile(r"-[a-z]*c")
SHOWN = 72
"""Characters of a shell command line that are used as the label of its activity."""


class _Recording(NamedTuple):
    """A command that is being recorded.

    Attributes:
        activity: the activity of the command.
        reports: the folder of the reports of its Python processes.
        streams: reports the files that it has as standard input and output.
        before: the files that matched the globs for outputs when it began.
    """

    activity: Activity
    reports: Path | None
    streams: Reporter | None
    before: Mapping[str, Signature]

    def environment(self) -> dict[str, str] | None:
        """The environment for the command; None to inherit it unchanged."""
        if self.reports is None:
            return None
        return reports.environment(self.reports, f"urn:uuid:{self.activity.recorder.id}#step-{reports.STEP}")


def run(words: Sequence[str], inputs: Sequence[str], outputs: Sequence[str], out: Path | None = None) -> int:
    """Run a command, and record it.

    Args:
        words: the command and its arguments.
        inputs: globs of files that it reads, expanded before it starts.
        outputs: globs of files that it writes: matching files that are new or changed at its end.
        out: the path of the document; by default ``prov/NAME.trig``.

    Returns:
        The exit status: negative for the signal that ended the command, 126 or 127 where it could not be started.
    """
    yield_to(lambda: True)  # inside another run: the files of this process are not those of its command
    recording = contained(_begun)(words, inputs, outputs, out) if enabled() else None
    environment = contained(recording.environment)() if recording else None
    process = Process(words)
    with process.forwarding():
        status = process.run(environment)
        if recording is not None:
            try:
                contained(_ended)(recording, status, outputs)
            except Abandoned:
                recording.activity.recorder.journal.leave()
    return status


def _begun(words: Sequence[str], inputs: Sequence[str], outputs: Sequence[str], out: Path | None) -> _Recording:
    label, plan = _described(words)
    session = default_name(Path(words[0]).name)
    recorder = Recorder(
        session, document_path(session, out), None, outside=False, plan=plan, software=("provrepo", __version__)
    )  # fmt: skip
    activity = Activity(recorder, label, recorder.root, recorder.plan(None, plan))
    recorder.note(
        "parameter", activity=activity.number, name="command", value=shlex.join(without_secrets_in(words, WRITTEN))
    )
    for path in _matching(inputs):
        contained(activity.read)(path)
    folder = contained(_reports_folder)(recorder)
    return _Recording(activity, folder, contained(_streams)(folder) if folder else None, _matching(outputs))


def _streams(folder: Path) -> Reporter:
    reporter = Reporter(str(folder))
    reporter.standard_streams()
    return reporter


def _reports_folder(recorder: Recorder) -> Path:
    folder = reports_folder(recorder.journal.path)
    folder.mkdir()
    return folder


def _described(words: Sequence[str]) -> tuple[str, Event]:
    """The label and the plan of a command: a shell command line, a script, or a program."""
    name, rest = Path(words[0]).name, words[1:]
    if _SHELL.fullmatch(name) and len(rest) > 1 and any(_LINE.fullmatch(word) for word in rest[:-1]):
        line = " ".join(without_secrets_in([rest[-1]])[0].split())
        return _short(line), {"name": f"{name} {rest[0]} {_short(line)}"} | plans.of_folder(Path.cwd())
    if _SHELL.fullmatch(name) or _INTERPRETER.fullmatch(name):
        first = next((word for word in rest if not word.startswith("-")), "")
        if not {"-c", "-m", "-e"} & set(rest[:1]) and Path(first).is_file():
            return Path(first).name, {"name": absolute(first)} | plans.of_file(absolute(first))
    program = shutil.which(words[0])
    return name, {"name": program or words[0]} | plans.of_file(program)


def _short(line: str) -> str:
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def _ended(recording: _Recording, status: int, outputs: Sequence[str]) -> None:
    activity, recorder = recording.activity, recording.activity.recorder
    if recording.streams is not None:
        contained(recording.streams.standard_input)()
    merged = (
        contained(reports.merge)(recording.reports, recorder.files, now=recorder.now()) if recording.reports else None
    )
    if merged is None:
        merged = reports.Merged([], set(), frozenset(), [], {})
    recorder.seen |= merged.paths
    if merged.events:
        recorder.journal.write(*merged.events)
    activity.pending = merged.pending | activity.pending
    for path, mark in _matching(outputs).items():
        if recording.before.get(path) != mark and path not in merged.claimed and not path.endswith(SUFFIX):
            recorder.files.rewritten(path)
            activity.pending[path] = Pending(None, None, True, recorder.now())
    code = as_by_a_shell(status)
    activity.end(f"exit {code}" if code else None)
    if isinstance(recorder, Recorder):
        recorder.close(packages=merged.packages)
    if recording.reports is not None:
        reports.remove(recording.reports)


def _matching(patterns: Sequence[str]) -> dict[str, Signature]:
    """The regular files that match globs, sorted by name; ``**`` matches any number of folders."""
    found = {absolute(name) for pattern in patterns for name in glob.glob(pattern, recursive=True)}  # noqa: PTH207
    marks = {path: signature(path) for path in sorted(found)}
    return {path: mark for path, mark in marks.items() if mark is not None}
