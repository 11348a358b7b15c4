"""Tokens with surrounding white space work, and no message, representation or log contains a token."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from provrepo.errors import Error, SettingsError
from provrepo.http_client import HttpClient
from provrepo.settings import Settings, bearer, load
from provrepo.views.sparql.remote import RemoteEndpoint
from tests.support.command import provrepo

SECRET = "pvr_0123456789abcdef_Zq3vYx0aB9cD8eF7gH6iJ5kL4mN3oP2qR1sT0uV9wX8"
CLOSED = "http://127.0.0.1:9/"
BAD = [
    f"{SECRET}\n{SECRET}",
    f"{SECRET} x",
    f"{SECRET}\x00",
    f"{SECRET}\u2026",
    f"x\r\nHost: {SECRET}",
    f"\ud800{SECRET}",
]


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}", "\t{} \n", "{}"])
def test_white_space_around_a_token_is_ignored(around: str, tmp_path: Path) -> None:
    written = around.format(SECRET)
    assert load(environment={"PROVREPO_TOKEN": written}, file=tmp_path / "none").token == SECRET
    file = tmp_path / "provrepo.toml"
    file.write_text(f'token = """{written.replace(chr(13), chr(92) + "r")}"""\n')
    assert load(environment={}, file=file).token == SECRET
    assert bearer(written) == SECRET


@pytest.mark.parametrize("token", BAD)
def test_an_invalid_token_is_refused_and_not_quoted(token: str, tmp_path: Path) -> None:
    for attempt in (
        lambda: load(environment={"PROVREPO_TOKEN": token}, file=tmp_path / "none"),
        lambda: RemoteEndpoint(CLOSED, token),
        lambda: HttpClient(CLOSED, token=token),
    ):
        with pytest.raises(SettingsError, match="character") as caught:
            attempt()
        assert_secret("".join(traceback.format_exception(caught.value)))


def assert_secret(text: str) -> None:
    """Check that a text contains no secret part of the token."""
    assert SECRET not in text
    assert SECRET[21:40] not in text


def send(url: str = CLOSED, token: str = SECRET, media_type: str = "text/turtle") -> None:
    """Send a document."""
    with HttpClient(url, token=token, timeout=2.0) as client:
        client.post("x", b"x", headers={"Content-Type": media_type})


def test_representations_contain_no_token() -> None:
    assert_secret(repr(Settings(token=SECRET)))
    assert_secret(repr(HttpClient(CLOSED, token=SECRET)))
    assert_secret(repr(RemoteEndpoint(CLOSED, SECRET)))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: RemoteEndpoint(CLOSED, f"{SECRET}\n", timeout=2).query("ASK {}"),
        lambda: RemoteEndpoint("http://127.0.0.1:9/ x\n", SECRET, timeout=2).query("ASK {}"),
        lambda: send(token=f"{SECRET}\n"),
        lambda: send(media_type="text/turtle\nX: y"),
        lambda: send("http://127.0.0.1:9\u2026/"),
    ],
)
def test_no_exception_or_log_contains_a_token(attempt: Callable[[], object], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Error) as caught:
        attempt()
    assert_secret("".join(traceback.format_exception(caught.value)))
    error: BaseException | None = caught.value
    while error is not None:
        assert_secret(repr(error) + repr(vars(error)))
        error = error.__cause__ or error.__context__
    assert_secret(caplog.text)


@pytest.mark.parametrize("token", [*BAD[:2], BAD[3], f"{SECRET}\n"])
def test_the_command_line_does_not_show_it(tmp_path: Path, token: str) -> None:
    document = tmp_path / "run.ttl"
    document.write_text("<http://example.org/a> a <http://www.w3.org/ns/prov#Entity> .\n")
    for verb in (["submit", str(document), "--to", CLOSED], ["query", "ASK {}", "--endpoint", CLOSED]):
        found = provrepo(*verb, cwd=tmp_path, PROVREPO_TOKEN=token)
        assert found.returncode in (1, 2)
        printed = (found.stdout + found.stderr).decode()
        assert "Traceback" not in printed
        assert printed.startswith("error: ")
        assert_secret(printed)
