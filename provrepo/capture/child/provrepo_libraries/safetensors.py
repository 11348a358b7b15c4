"""safetensors; ``safe_open`` is a compiled class, whose files are not observed."""

from __future__ import annotations

from typing import Any

from .observing import READ, REPLACED, argument, before


def adapt(module: Any) -> None:
    """Adapt ``safetensors.numpy`` or ``safetensors.torch``."""
    before(module, "load_file", argument(0, "filename", READ))
    before(module, "save_file", argument(1, "filename", REPLACED))
    before(module, "load_model", argument(1, "filename", READ))
    before(module, "save_model", argument(1, "filename", REPLACED))
