"""Runs the program git to read a repository that may be hostile.

Only plumbing commands are run, which neither change the repository nor start hooks, pagers, filters or helpers. The
configuration of the system and of the user is not read; what that of the repository could start is switched off.
Nothing is fetched. Time, memory and output are limited.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, NamedTuple

from provrepo.errors import ReadError
from provrepo.importers.masking import without_login
from provrepo.limits import GIT_BYTES, GIT_SECONDS
from provrepo.words import lasting

__all__ = ["Git", "Object", "hashed"]

_MEMORY = 3 << 20
"""Kibibytes of address space of one run, which includes the parts of packs that are mapped."""

_CONFIGURATION = (
    "core.alternateRefsCommand=",
    "core.commitGraph=false",
    "core.deltaBaseCacheLimit=64m",
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.packedGitLimit=512m",
    "core.packedGitWindowSize=32m",
    "core.pager=cat",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.external=",
    "gc.auto=0",
    "protocol.allow=never",
    # Ownership protects against what a configuration starts, which is switched off.
    "safe.directory=*",
    "submodule.recurse=false",
)
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "PATH": "/usr/bin:/bin",
}
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Object(NamedTuple):
    """An object of a repository.

    Attributes:
        id: its hash.
        kind: ``blob``, ``commit``, ``tag`` or ``tree``.
        data: its bytes.
    """

    id: str
    kind: str
    data: bytes


def hashed(text: str) -> bool:
    """Whether a text is the hash of an object: SHA-1 or SHA-256."""
    return _HASH.fullmatch(text) is not None


class Git:
    """A repository, read by the program git."""

    def __init__(self, folder: Path) -> None:
        """Begin.

        Args:
            folder: a folder of a working tree, or a bare repository.

        Raises:
            ReadError: git is not installed, or there is no repository.
        """
        found = shutil.which("git")
        if found is None:
            raise ReadError("this takes the program git, which is not found; install it, or add it to PATH")
        self._program, self._folder = str(Path(found).absolute()), folder.absolute()
        lines = self.text("rev-parse", "--git-dir", "--show-prefix", "--is-shallow-repository").splitlines()
        self.folder_in_tree = lines[1] if len(lines) == 3 else ""
        self.shallow = lines[-1] == "true"

    def commit(self, name: str) -> str:
        """The hash of the commit that a name stands for, such as ``HEAD``.

        Raises:
            ReadError: there is none.
        """
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except ReadError as error:
            problem = "is no commit of this repository" if "exit" in error.message else error.message
            raise ReadError(f"{without_login(name)[:200]} {problem}") from None

    def text(self, *words: str, given: Iterable[str] = ()) -> str:
        """What a command prints, as text; what is no UTF-8 has backslashes.

        Args:
            words: the command.
            given: the lines of its input.

        Raises:
            ReadError: it failed, with its message, or took too long.
        """
        with self._running(words, given) as output:
            data = output.read(GIT_BYTES + 1)
        if len(data) > GIT_BYTES:
            raise ReadError(f"git {words[0]} prints more than {GIT_BYTES:,} bytes; name a smaller range with --range")
        return data.decode("utf-8", "backslashreplace")

    def sizes(self, ids: Iterable[str]) -> dict[str, int]:
        """The sizes of objects in bytes; those that are not there are left out."""
        found: dict[str, int] = {}
        for line in self.text("cat-file", "--batch-check", "--buffer", given=ids).splitlines():
            words = line.split()
            if len(words) == 3 and words[2].isdigit():
                found[words[0]] = int(words[2])
        return found

    def objects(self, ids: Iterable[str]) -> Iterator[Object]:
        """Objects with their bytes, one after the other, in the order in which they are asked for.

        Args:
            ids: their hashes, of objects of which ``sizes`` says that they fit into memory.
        """
        with self._running(("cat-file", "--batch", "--buffer"), ids) as output:
            while line := output.readline():
                words = line.split()
                if len(words) != 3 or not words[2].isdigit():
                    continue  # it is missing
                data = output.read(int(words[2]))
                output.read(1)
                if len(data) == int(words[2]):
                    yield Object(words[0].decode(), words[1].decode(), data)

    def contents(self, names: Sequence[str], largest: int) -> list[bytes | None]:
        """The bytes of blobs; None for one that is not there, or is larger.

        Args:
            names: their names, such as ``COMMIT:path``, in one line each.
            largest: bytes.
        """
        if not names:
            return []
        lines = self.text("cat-file", "--batch-check", "--buffer", given=names).splitlines()
        found = [line.split() for line in lines]
        ids = [
            words[0] if len(words) == 3 and words[1] == "blob" and int(words[2]) <= largest else "" for words in found
        ]
        data = {each.id: each.data for each in self.objects(dict.fromkeys(filter(None, ids)))}
        return [data.get(id_) for id_ in ids]

    @contextmanager
    def _running(self, words: Sequence[str], given: Iterable[str]) -> Iterator[IO[bytes]]:
        """Run a command and give its output."""
        options = [word for entry in _CONFIGURATION for word in ("-c", entry)]
        command = [self._program, "--no-pager", "--no-replace-objects", *options, "-C", str(self._folder), *words]
        with TemporaryFile() as lines, TemporaryFile() as errors:
            lines.write("".join(f"{line}\n" for line in given).encode("utf-8", "surrogateescape"))
            lines.seek(0)
            process = subprocess.Popen(
                # The shell limits the memory of the program that it becomes.
                ["/bin/sh", "-c", 'ulimit -v "$0" 2>/dev/null; exec "$@"', str(_MEMORY), *command],
                stdin=lines,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
            late = False

            def stop() -> None:
                nonlocal late
                late = True
                _kill(process)

            timer = Timer(GIT_SECONDS, stop)
            timer.daemon = True
            timer.start()
            finished = False
            try:
                yield process.stdout  # type: ignore[misc]
                finished = process.stdout.read(1) == b""  # type: ignore[union-attr]
            finally:
                if not finished:
                    _kill(process)
                code = process.wait()
                timer.cancel()
                process.stdout.close()  # type: ignore[union-attr]
            if late:
                raise ReadError(f"git {words[0]} did not end within {lasting(GIT_SECONDS)}")
            if finished and code:
                errors.seek(0)
                said = errors.read(2000).decode("utf-8", "replace").strip()
                told = without_login(said.splitlines()[0]) if said else f"exit {code}"
                raise ReadError(f"git cannot read {self._folder}: {told}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
