"""The folder of conformance suites and documents of other projects; tests that need it are skipped without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.paths import ROOT

CORPUS = Path(os.environ.get("PROVREPO_CORPUS") or ROOT.parent / "shared" / "corpus")


def present(folder: str) -> Path | None:
    """The folder of the corpus, or None where it is absent."""
    path = CORPUS / folder
    return path if path.is_dir() else None


def corpus(folder: str) -> Path:
    """The folder of the corpus; skips the test where it is absent."""
    path = present(folder)
    if path is None:
        pytest.skip(f"no {folder} in the corpus: set PROVREPO_CORPUS to its folder")
    return path
