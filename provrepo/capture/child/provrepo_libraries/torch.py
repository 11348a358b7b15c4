"""PyTorch: ``torch.save``; ``torch.load`` opens files in Python."""

from __future__ import annotations

from typing import Any

from .observing import REPLACED, argument, before


def adapt(module: Any) -> None:
    """Adapt ``torch.serialization``."""
    writer = getattr(module, "_open_zipfile_writer_file", None)
    if writer is not None:  # a class, so that ``from torch import save`` before this makes no difference
        before(writer, "__init__", argument(1, "name", REPLACED))
    else:
        before(module, "save", argument(1, "f", REPLACED))
