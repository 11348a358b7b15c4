"""The location of the files that ship with the code: ``shapes/ ontology/ queries/ web/ examples/``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from provrepo.errors import Damaged

__all__ = ["root"]


@cache
def root() -> Path:
    """The directory with ``shapes``, ``ontology``, ``queries``, ``web`` and ``examples``.

    In a wheel that is ``provrepo/_packaged``; in a checkout or an editable install the directory above the package.

    Raises:
        Damaged: the package was installed without its data.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "_packaged", package.parent):
        if (candidate / "shapes").is_dir() and (candidate / "ontology").is_dir():
            return candidate
    raise Damaged(f"provrepo at {package} was installed without its shapes and ontology; install it again")
