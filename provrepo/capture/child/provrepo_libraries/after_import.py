"""An import hook: functions that are called with modules after the program has imported them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class AfterImport:
    """Calls functions with modules, at once or after their import.

    Args:
        adapted: names of modules, and what is called with them; it must not raise.
    """

    def __init__(self, adapted: Mapping[str, Callable[[Any], None]]) -> None:
        self._adapted = adapted

    def install(self) -> None:
        """Become the first import hook."""
        sys.meta_path.insert(0, self)
        for name, adapt in self._adapted.items():
            if name in sys.modules:
                adapt(sys.modules[name])

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """The specification that the other hooks find, with a loader that calls the function after the module."""
        adapt = self._adapted.get(name)
        if adapt is None:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None and hasattr(spec.loader, "exec_module"):
                spec.loader.exec_module = _Executed(spec.loader.exec_module, name, adapt)
                return spec
        return None


class _Executed:
    """``exec_module`` of a loader; a loader of an archive is shared by all of its modules."""

    def __init__(self, execute: Callable[[Any], None], name: str, adapt: Callable[[Any], None]) -> None:
        self._execute, self._name, self._adapt = execute, name, adapt

    def __call__(self, module: Any) -> None:
        self._execute(module)
        if module.__name__ == self._name:
            self._adapt(module)
