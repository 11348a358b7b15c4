"""Extras of the package that some tests need."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs_examples() -> None:
    """Skip a test, or all of a module that is being imported, where the extra ``examples`` is not installed.

    It is not imported: that would take each process of pytest a second.
    """
    if find_spec("sklearn") is None:
        pytest.skip("the extra `examples` is not installed: pip install '.[examples]'", allow_module_level=True)
