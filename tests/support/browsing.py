"""A headless Chromium, controlled over a pipe (DevTools Protocol), for tests of the layout at given sizes."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

_TIMEOUT = 60.0
"""Seconds to wait for one answer of the browser."""


class _Quiet(WSGIRequestHandler):
    def log(self, *args: object) -> None:
        pass


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an application on a port of this machine; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Screen:
    """One page of the browser."""

    def __init__(self, to: int, answers: int) -> None:
        self._to, self._answers = to, answers
        self._number, self._read = 0, b""
        self._events: list[str] = []
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def show(self, address: str, *, width: int, height: int = 740) -> None:
        """Open an address on a screen with this width and height in px."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 1000}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self._events.clear()
        self.call("Page.navigate", url=address)
        self._loaded()

    def emulate(self, *, media: str = "", **features: str) -> None:
        """Emulate a medium such as ``print``, and features of media such as ``forced-colors``; by default none."""
        given = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=media, features=given)

    def sign_in(self, address: str, token: str) -> None:
        """Begin a session at a server, as people do."""
        self.show(f"{address}/session", width=1440)
        self.act(f"document.querySelector('#token').value = {json.dumps(token)};"
                 "document.querySelector('.signing button').click()")  # fmt: skip

    def act(self, script: str) -> None:
        """Run a script that leads to another page, and wait for it."""
        self._events.clear()
        self.call("Runtime.evaluate", expression=script)
        self._loaded()

    def wait(self, condition: str) -> None:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + _TIMEOUT
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def _loaded(self) -> None:
        while "Page.loadEventFired" not in self._events:
            self._events.append(self._message().get("method", ""))

    def evaluate(self, script: str) -> Any:
        """Run a script in the page; returns its value, which JSON must be able to represent."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to the browser and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if "method" in answer:
                self._events.append(answer["method"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + _TIMEOUT
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            got = os.read(self._answers, 1 << 16) if ready else b""
            assert got, "the browser does not answer"
            self._read += got
        message, self._read = self._read.split(b"\0", 1)
        found: dict[str, Any] = json.loads(message)
        return found


@contextmanager
def browsing(profile: Path) -> Iterator[Screen]:
    """A browser with its own profile; skips the test where none is installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    theirs, to = os.pipe()
    answers, mine = os.pipe()
    # The browser reads from file descriptor 3 and writes to 4; the shell redirects them.
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$0" "$@" 3<&{theirs} 4>&{mine}', chromium, "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(theirs, mine), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    os.close(mine)
    try:
        yield Screen(to, answers)
    finally:
        process.terminate()
        process.wait(timeout=60)
        os.close(to)
        os.close(answers)
