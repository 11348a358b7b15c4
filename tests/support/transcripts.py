"""Execution of the commands in the code blocks of a page, one after the other, in one shell.

A block ``sh`` is run. A block ``console`` has commands after ``$`` and their output, which is compared. A block after
``<!-- file: NAME -->`` is saved under that name. ``<!-- server: FOLDER URL -->`` lets a server run on a data directory
meanwhile, whose address replaces the URL. Identifiers and times differ from run to run: those of the page are
replaced by those of the run, also in later commands. A line ``...`` in the output represents lines that the page omits.

``python -m tests.support.transcripts PAGE`` updates the output in a page.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from provrepo.resources import root
from tests.support.command import environment, serving

END = "\x1eend of output\x1e"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VOLATILE = (
    (UUID, "UUID"),
    (re.compile(r"(?<=UUID#)(\w+)-\d+"), r"\1-NUMBER"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{40}([0-9a-f]{24})?\b"), "DIGEST"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ACTOR"),
    (re.compile(r"ni:///sha-256;[\w-]+"), "CONTENT"),
    (re.compile(r"\d+ bytes"), "BYTES"),
    (re.compile(r"\bpvr_\S+"), "TOKEN"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "NUMBER"),
    (re.compile(r"TIME by [\w.-]+"), "TIME by SOMEBODY"),
    (re.compile(r"TIME(,| ) *(?!by )[\w.-]+"), r"TIME\1 SOMEBODY"),
    (re.compile(r"CPython [\w.]+"), "CPython"),
)
CLOSE = 0.06
"""The tolerance for numbers, since results of numerical libraries depend on the processor."""
LEFT_OUT = "..."
ANA = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ana"), ("EMAIL", "ana@lab.example"))
}


@dataclass(frozen=True)
class Step:
    """A command and its output in the page; None where the page shows none."""

    command: str
    printed: str | None


def steps(page: str) -> Iterator[Step]:
    """The commands of a page, in order."""
    for language, block in re.findall(r"(?ms)^```(sh|console)\n(.*?)^```", page):
        if language == "sh":
            yield Step(block, None)
            continue
        for shown in re.split(r"(?m)^\$ ", block)[1:]:
            found = re.fullmatch(r"(?s)((?:[^\n]*\\\n)*[^\n]*)\n(.*)", shown)
            assert found is not None, shown
            yield Step(found[1], found[2])


def play(page: str, folder: Path) -> Iterator[tuple[Step, str]]:
    """Run the commands of a page, except for those that install or serve; yields each with its output.

    Args:
        page: the text of the page, in Markdown.
        folder: an empty folder, which is used as checkout and home directory.
    """
    (folder / "examples").symlink_to(root() / "examples")
    for name, content in re.findall(r"(?s)<!-- file: (\S+) -->\n```\w*\n(.*?)```", page):
        (folder / name).write_text(content, "utf-8")
    variables = environment(HOME=str(folder), PYTHONDONTWRITEBYTECODE="1", **ANA)
    with Shell(folder, variables) as shell:
        for step in steps(page):
            if not re.search(r"pip install|^provrepo serve$", step.command, re.MULTILINE):
                printed = shell.run(step.command)
                if step.printed is not None:
                    shell.learn(step.printed, printed)
                yield step, printed


@contextmanager
def served(page: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run the servers of a page, which send nothing by themselves; yields URL in the page → address."""
    with ExitStack() as stack:
        yield {
            url: stack.enter_context(serving(folder / data, PROVREPO_EXCHANGE_SECONDS="0")) + "/"
            for data, url in re.findall(r"<!-- server: (\S+) (\S+) -->", page)
        }


def replaced(text: str, names: Mapping[str, str]) -> str:
    """A text with other names."""
    for old, new in names.items():
        text = text.replace(old, new)
    return text


class Shell:
    """A bash process in which ``provrepo`` and ``python`` are those under test."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash"], cwd=folder, env=dict(variables), text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._known: dict[str, str] = {}
        self.run(f'provrepo() {{ "{sys.executable}" -m provrepo "$@"; }}\npython() {{ "{sys.executable}" "$@"; }}')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bash.communicate()

    def run(self, command: str) -> str:
        """Run a command; returns its standard output and standard error."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{UUID.sub(self._met, command)}\nprintf '%s\\n' '{END}'\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        for line in self._bash.stdout:
            before, end, _ = line.partition(END)
            lines.append(before)
            if end:
                return "".join(lines)
        raise AssertionError(f"the shell ended: {''.join(lines)}")

    def learn(self, shown: str, printed: str) -> None:
        """Map identifiers that the page shows for the first time to those that were printed in their place."""
        _pair(self._known, shown, printed)

    def _met(self, found: re.Match[str]) -> str:
        return self._known.get(found[0], found[0])


def _pair(known: dict[str, str], shown: str, printed: str) -> None:
    for old, new in zip(UUID.findall(shown), UUID.findall(printed), strict=False):
        known.setdefault(old, new)


def same(shown: str, printed: str) -> bool:
    """Whether the output in the page matches what was printed, in any order of lines."""
    wanted, got = _lines(shown), _lines(printed)
    if LEFT_OUT in wanted:
        return all(any(_alike(line, other) for other in got) for line in wanted if line != LEFT_OUT)
    return len(wanted) == len(got) and all(map(_alike, wanted, got))


def _lines(text: str) -> list[str]:
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return sorted(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _alike(wanted: str, got: str) -> bool:
    one, other = re.split(r"[\s,}]+", wanted), re.split(r"[\s,}]+", got)
    return len(one) == len(other) and all(map(_close, one, other))


def _close(wanted: str, got: str) -> bool:
    try:
        return wanted == got or ("." in wanted and math.isclose(float(wanted), float(got), rel_tol=CLOSE))
    except ValueError:
        return False


def rewritten(page: str, folder: Path) -> str:
    """A page with the current output of its commands, with the user name Ana."""
    names: dict[str, str] = {}
    written, rest = "", page
    for step, printed in play(page, folder):
        if step.printed is None:
            continue
        shown = re.sub(r"(Z, |Z  |Z by )[\w-]++(?! \[)", r"\1ana", printed)
        shown = re.sub(r"\b(pvr_[0-9a-f]+_)\S+", r"\1...", shown)  # so that no reader takes it for a valid token
        _pair(names, step.printed, shown)
        before, command, rest = rest.partition(f"$ {step.command}\n")
        written += before + command + shown
        rest = rest.removeprefix(step.printed)
    written += rest
    for old, new in names.items():
        written = written.replace(old, new)
    return written


def main() -> None:
    path = Path(sys.argv[1])
    page = path.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder, served(page, Path(folder)) as addresses:
        written = rewritten(replaced(page, addresses), Path(folder))
        path.write_text(replaced(written, {new: old for old, new in addresses.items()}), "utf-8")


if __name__ == "__main__":
    main()
