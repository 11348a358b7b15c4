"""The undocumented internals of waitress on which the server depends."""

from __future__ import annotations

import inspect
import re
import tomllib
from typing import Any

import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from provrepo.server.connections.channel import Channel
from provrepo.server.connections.listener import Listener
from tests.support.paths import ROOT
from tests.support.wire import wire

USED = {
    HTTPChannel: "cancel close_when_flushed connected handle_close handle_read handle_write received readable recv "
    "request send service will_close writable write_soon _flush_exception _flush_some total_outbufs_len parser_class "
    "task_class error_task_class handle_expt",
    TcpWSGIServer: "accepting close getsockname handle_accept pull_trigger readable run set_socket_options "
    "channel_class",
    WSGITask: "build_response_header execute finish get_environment service set_close_on_finish write",
    ErrorTask: "execute service set_close_on_finish write",
    ThreadedTaskDispatcher: "add_task shutdown",  # which ``Dispatcher`` takes the place of
}
"""Members of undocumented classes of waitress that are overridden, called or set."""
MADE = {
    HTTPChannel: "adj outbuf_lock requests server",
    TcpWSGIServer: "active_channels adj application task_dispatcher _map",
}
"""Attributes of instances of these classes."""


def test_the_used_internals_of_waitress_exist() -> None:
    """Fails if a new release changes them; ``pyproject.toml`` excludes new releases until they were reviewed."""
    for owner, names in USED.items():
        assert not [name for name in names.split() if not hasattr(owner, name)], owner
    for owner, names in MADE.items():
        source = "".join(inspect.getsource(base) for base in owner.__mro__ if base.__module__.startswith("waitress"))
        assert not [name for name in names.split() if f"self.{name} = " not in source], owner
    assert list(inspect.signature(HTTPChannel.__init__).parameters)[1:] == ["server", "sock", "addr", "adj", "map"]
    assert list(inspect.signature(HTTPChannel.send).parameters) == ["self", "data", "do_close"]
    assert list(inspect.signature(wasyncore.poll2).parameters) == ["timeout", "map"]
    (bound,) = [d for d in _project()["dependencies"] if d.startswith("waitress")]
    assert bound == "waitress>=3.0.2,<3.1"
    assert waitress.__name__ == HTTPChannel.__module__.partition(".")[0]


def test_all_overridden_members_are_listed() -> None:
    for ours, theirs in ((Channel, HTTPChannel), (Listener, TcpWSGIServer)):
        inherited = {name for name in vars(ours) if hasattr(theirs, name) and not name.startswith("__")}
        assert inherited <= set(USED[theirs].split()), theirs


def test_the_parser_has_all_attributes_that_waitress_reads() -> None:
    """Finds every attribute of a request that waitress reads."""
    from waitress import channel, task

    read = set(re.findall(r"\brequest\.([a-z_]+)", inspect.getsource(channel) + inspect.getsource(task)))
    with wire() as served, served.connect(b"G") as client:
        request = client.channel.request
        assert not [name for name in read if not hasattr(request, name)]


def _project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
