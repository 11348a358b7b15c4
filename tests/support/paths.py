"""The folders of the repository and its tests."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOT", "TESTS"]

TESTS = Path(__file__).resolve().parents[1]
"""The folder of the tests, with their data."""

ROOT = TESTS.parent
"""The folder of the repository."""
