"""How adapted functions tell what they open: by audit events of their own, before they do it.

``provrepo.file``
    name, flags of ``os.open``: a file is opened
``provrepo.written``
    name: a file was just written
``provrepo.table``
    database (a path, or a URL), table, written: a table was read or written
``provrepo.query``
    database, text: a statement is executed
``provrepo.failed``
    where, class of the error: an adapted function could not tell what it opens
"""

from __future__ import annotations

import functools
import os
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

READ = os.O_RDONLY
REPLACED = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
CHANGED = os.O_RDWR | os.O_CREAT
"""Flags of ``os.open`` for a file that is read, written anew, or changed."""


def before(owner: Any, name: str, observe: Callable[..., None]) -> None:
    """Call a function with the arguments of another one before each call of that: see ``around``."""
    around(owner, name, observe, None)


def after(owner: Any, name: str, observe: Callable[..., None]) -> None:
    """Call a function with the result and the arguments of another one after each call that returned."""
    around(owner, name, None, observe)


def around(owner: Any, name: str, first: Callable[..., None] | None, then: Callable[..., None] | None) -> None:
    """Call functions before and after each call of another one. An error in them is told and not raised.

    Args:
        owner: a module or a class; without the attribute nothing happens.
        name: of the attribute.
        first: is called with the arguments.
        then: is called with the result and the arguments, where the call returned.
    """
    original = original_of(owner, name)
    if original is None:
        return
    where = f"{getattr(owner, '__module__', None) or owner.__name__}.{name}"

    def call(*args: Any, **kwargs: Any) -> Any:
        if first is not None:
            contained(where, first, *args, **kwargs)
        result = original(*args, **kwargs)
        if then is not None:
            contained(where, then, result, *args, **kwargs)
        return result

    replace(owner, name, functools.wraps(original)(call), original)


def contained(where: str, function: Callable[..., None], /, *args: Any, **kwargs: Any) -> None:
    """Call a function; an error is told and not raised."""
    try:
        function(*args, **kwargs)
    except Exception as error:
        if foreign(error):
            raise
        failed(where, error)


def replace(owner: Any, name: str, call: Any, original: Any) -> None:
    """Put a wrapper in the place of an attribute."""
    call.provrepo_observed = True
    if isinstance(owner, types.ModuleType):
        home = sys.modules.get(getattr(original, "__module__", None) or "")
        if home is not None and home is not owner:  # pickle looks for each of both at a place of its own
            call.__module__, call.__qualname__ = owner.__name__, name
        _replaced[id(original)] = (original, call)
    setattr(owner, name, call)


_replaced: dict[int, tuple[Any, Any]] = {}
"""Functions by their addresses, and what has replaced them."""


def rebind() -> None:
    """Replace functions also under other names, where a module was imported before it was adapted."""
    if not _replaced:
        return
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if type(names) is not dict or _replaced.keys().isdisjoint(map(id, list(names.values()))):
            continue  # without a loop of its own: there are tens of thousands of names
        for name, value in list(names.items()):
            original, call = _replaced.get(id(value), (None, None))
            if original is not None and original is value:
                names[name] = call


def original_of(owner: Any, name: str) -> Any:
    """The attribute that is to be wrapped; None where there is none, or where it is wrapped already."""
    found = getattr(owner, name, None)
    return None if getattr(found, "provrepo_observed", False) else found


def argument(position: int, name: str, flags: int) -> Callable[..., None]:
    """A function that tells the file that one argument names, or the files.

    Args:
        position: of the argument, among all; that of a method counts ``self``.
        name: of the argument.
        flags: of ``os.open``.
    """

    def observe(*args: Any, **kwargs: Any) -> None:
        opened(args[position] if len(args) > position else kwargs.get(name), flags)

    return observe


def opened(name: Any, flags: int) -> None:
    """Tell that a file is opened, or each of a list; what is no path, such as an open file, is ignored."""
    if isinstance(name, (list, tuple, set)):
        for one in name:
            opened(one, flags)
        return
    path = local(name)
    if path:
        sys.audit("provrepo.file", path, flags)


def written(names: Iterable[Any]) -> None:
    """Tell that files were just written."""
    for name in names:
        path = local(name)
        if path:
            sys.audit("provrepo.written", path)


def table(database: str, name: str, wrote: bool) -> None:
    """Tell that a table was read or written."""
    sys.audit("provrepo.table", database, name, wrote)


def query(database: str, text: str) -> None:
    """Tell that a statement is executed."""
    sys.audit("provrepo.query", database, text)


def local(name: Any) -> str:
    """The path that a name stands for; empty where it is none of this machine."""
    if not isinstance(name, (str, bytes, os.PathLike)):
        return ""
    path = os.fsdecode(name)
    if path.startswith("file://"):
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(path).path)
    return "" if "://" in path or "\0" in path else path


def failed(where: str, error: BaseException) -> None:
    """Tell that an adapted function could not tell what it opens."""
    sys.audit("provrepo.failed", where, type(error).__name__)


def foreign(error: BaseException) -> bool:
    """Whether an error comes from the program: raised by a signal handler that ran while code of capture did."""
    signals = sys.modules.get("signal")
    if signals is None:
        return False
    handlers = [signals.getsignal(number) for number in range(1, signals.NSIG)]
    codes = [getattr(getattr(handler, "__func__", handler), "__code__", None) for handler in handlers]
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False
