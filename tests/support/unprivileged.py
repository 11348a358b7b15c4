"""Processes that respect file permissions, for tests that run as root, which can read and write any file.

They keep the user, since only root may be able to read Python's own folder. They drop the capabilities by which root
ignores permissions (capabilities(7)): without them root has the rights of any owner of files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command import environment
from tests.support.paths import ROOT

_LAUNCHER = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
libc = ctypes.CDLL(None, use_errno=True)
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
        sys.exit(99)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that is removed even if its content has lost its permissions."""
    path = Path(tempfile.mkdtemp(prefix="provrepo-test-")).resolve()
    try:
        yield path
    finally:
        for found, _, _ in os.walk(path, topdown=True, onerror=None):
            Path(found).chmod(0o700)
        shutil.rmtree(path)


def take_permissions(path: Path) -> None:
    """Do the same as ``chmod -R a-w``."""
    for found in [path, *path.rglob("*")]:
        if not found.is_symlink():
            found.chmod(found.stat().st_mode & 0o555)


def run(*arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python with some arguments in a process that respects permissions."""
    kept = environment(PYTHONPATH=str(ROOT), **variables)
    launcher = ["-c", _LAUNCHER] if os.geteuid() == 0 else []
    done = subprocess.run(
        [sys.executable, *launcher, *map(str, arguments)], cwd=cwd, env=kept, capture_output=True, check=False
    )
    if launcher and done.returncode == 99:
        pytest.skip("this root may not give up capabilities")
    return done
