"""Found by every Python process below ``provrepo run``, through PYTHONPATH, in place of the user's own sitecustomize.

It starts the reporter and steps aside: its folder leaves the path, and the user's own module runs as if this were not
here. It is read by whatever Python the command happens to be, so that no newer syntax may stand in it.
"""

import os
import sys

_folder = os.path.dirname(os.path.abspath(__file__))
_mine = sys.modules.pop("sitecustomize", None)

try:
    if sys.version_info >= (3, 8) and os.path.isdir(os.environ.get("PROVREPO_REPORT", "")):
        import provrepo_child  # type: ignore[import-not-found]

        provrepo_child.start(os.environ["PROVREPO_REPORT"])
except Exception:  # noqa: S110, BLE001 (the program does not depend on it)
    pass

sys.path[:] = [_place for _place in sys.path if _place != _folder]
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ImportError:
    if getattr(sys.exc_info()[1], "name", "sitecustomize") != "sitecustomize":
        raise  # something is missing that the user's own module asks for
    if _mine is not None:
        sys.modules["sitecustomize"] = _mine  # the import system looks for it where it has put it
