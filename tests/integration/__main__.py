"""Run groups of integration tests: ``python -m tests.integration [GROUP...]``; ``make integration`` runs all.

A group is named, or chosen by ``touched`` (the change is about it) or ``sample`` (two of the others, which depend on
the commit). Each runs in a process of its own, within its budget. A group that does not fit into what is left of
``--seconds`` is named and not run.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.integration.environments import ROOT
from tests.integration.groups import GROUPS, Group, changed, sampled, touched

_GRACE = 30.0
"""Seconds that a group has to end its servers after its budget."""
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?)")


@dataclass
class Ran:
    """The result of one group.

    Attributes:
        outcome: ``passed``, ``failed``, ``skipped``, ``not run`` or ``stopped``.
        counts: tests by outcome.
        seconds: wall clock.
    """

    group: Group
    outcome: str
    counts: Counter[str]
    seconds: float = 0.0


def chosen(words: Sequence[str]) -> list[Group]:
    """The groups that words of the command line select, in the order of the table.

    Raises:
        ValueError: a word is neither a group nor one of ``all``, ``touched`` and ``sample``.
    """
    names = {group.name: group for group in GROUPS}
    found: list[Group] = []
    for word in words or ["all"]:
        if word == "all":
            found += GROUPS
        elif word in ("touched", "sample"):
            commit, files = changed(ROOT)
            about = touched(files, commit)
            others = [group for group in GROUPS if group not in about]
            found += about if word == "touched" else sampled(others, commit)
        elif word in names:
            found.append(names[word])
        else:
            raise ValueError(f"no group {word!r}: there are all, touched, sample, {', '.join(names)}")
    return [group for group in GROUPS if group in found]


def ran(group: Group, left: float | None) -> Ran:
    """Run one group.

    Args:
        group: which.
        left: seconds that may still be used, or None.
    """
    if left is not None and group.budget + _GRACE > left:
        return Ran(group, "not run", Counter())
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-n", "0", "-rs", "--tb=short", group.file]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=group.budget)
    except subprocess.TimeoutExpired:
        # The same signal as Ctrl+C, so that fixtures end the servers that they started.
        process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        print(output, flush=True)
        return Ran(group, "stopped", Counter(failed=1), time.monotonic() - started)
    print(output, flush=True)
    closing = output.rstrip().rpartition("\n")[2]
    counts = Counter({word.removesuffix("s"): int(number) for number, word in _COUNT.findall(closing)})
    counts["failed"] += counts.pop("error", 0)
    outcome = "failed" if process.returncode else "passed" if counts["passed"] else "skipped"
    return Ran(group, outcome, counts, time.monotonic() - started)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.integration", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="default: all")
    parser.add_argument("--seconds", type=float, help="start no group whose budget is more than what is left of them")
    options = parser.parse_args()
    try:
        groups = chosen(options.groups)
    except ValueError as error:
        parser.error(str(error))
    started = time.monotonic()
    results = []
    for group in groups:
        print(f"== {group.name}: {group.about}", flush=True)
        left = None if options.seconds is None else options.seconds - (time.monotonic() - started)
        results.append(ran(group, left))
    print("== integration")
    for one in results:
        seconds = f"{one.seconds:.0f} of {one.group.budget} s"
        print(f"{one.group.name}: {one.outcome}, {seconds}")
    total = sum((one.counts for one in results), Counter[str]())
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if any(one.outcome in ("failed", "stopped") for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
