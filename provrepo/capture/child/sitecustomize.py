"""Imported at start-up, through PYTHONPATH, by every Python process below ``provrepo run``.

It starts the reporter, removes its folder from the path, and imports the user's own ``sitecustomize``, which it hides.
Any version of Python may read it, so it contains no newer syntax.
"""

import os
import sys

_folder = os.path.dirname(os.path.abspath(__file__))
_mine = sys.modules.pop("sitecustomize", None)

try:
    if sys.version_info >= (3, 8) and os.path.isdir(os.environ.get("PROVREPO_REPORT", "")):
        import provrepo_child  # type: ignore[import-not-found]

        provrepo_child.start(os.environ["PROVREPO_REPORT"])
except Exception:  # noqa: S110, BLE001 (a failure here must not become the program's)
    pass

sys.path[:] = [_place for _place in sys.path if _place != _folder]
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ImportError:
    if getattr(sys.exc_info()[1], "name", "sitecustomize") != "sitecustomize":
        raise  # the user's own module imports something that is missing
    if _mine is not None:
        sys.modules["sitecustomize"] = _mine  # the import system expects the entry that it has made
