"""PyTorch in an environment of its own, which takes several gigabytes: exactly its files are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.environments import NotHere, python
from tests.integration.recordings import check_case


@pytest.mark.parametrize("way", ["run", "step"])
def test_exactly_the_files_that_torch_saves_and_loads(way: str, tmp_path: Path) -> None:
    try:
        interpreter = python("capture_torch", ["torch==2.15.0", "numpy"])
    except NotHere as error:
        pytest.skip(f"capture_torch cannot be installed: {error}")
    check_case(interpreter, "Torch", way, tmp_path)
