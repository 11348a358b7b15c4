"""Settings: flag before environment before file before default."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provrepo.errors import SettingsError
from provrepo.settings import OTHERS, REPORT, RUN, Settings, environment_name, host_names, load
from tests.support.command import environment, provrepo


def test_flag_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_text('port = 1\nthreads = 2\nhost = "::1"\n')
    environment = {"PROVREPO_PORT": "3", "PROVREPO_HOST": "127.0.0.2"}
    settings = load({"port": 5, "host": None}, environment=environment, file=file)
    assert (settings.port, settings.host, settings.threads) == (5, "127.0.0.2", 2)
    assert settings.query_timeout == Settings().query_timeout


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("prot = 1", "line 1: no setting is called 'prot'; did you mean port"),
        ("# a comment\nport = 1\n\n  query_timout = 5", "line 4: .*did you mean query_timeout"),
        ("port = 1\n[server]\nport = 2", "line 2: no setting is called 'server'"),
        ("'threds' = 1", "line 1: .*did you mean threads"),
        ("PROVREPO_PORT = 1", "no setting is called 'PROVREPO_PORT'"),
        ("zzz = 1", "no setting is called 'zzz'; there are: .*base"),
        ("port = 'x'", "port in .*line 1: 'x' is not a whole number"),
        ("host = 'a'\nport = '8000'", "port in .*line 2: '8000' is not a whole number"),
        ("port = true", "True is not a whole number"),
        ("port = 8000.0", "8000.0 is not a whole number"),
        ("port = [8000]", "is not a whole number"),
        ("port = 65536", "at most 65535"),
        ("threads = 0", "at least 1"),
        ("query_timeout = -1", "negative"),
        ("query_timeout = nan", "'nan' is not a number"),
        ("query_timeout = inf", "'inf' is not a number"),
        ("query_timeout = 12:00:00", "is not a number"),
        ("host = 127", "127 is not text"),
        ("data = ['a', 'b']", "is not text"),
        ("data = ''", "is not the path"),
        ("base = {a = 1}", "is not text"),
        ("capture = false", "False is not text"),
        ("capture = 'of'", "'of' is neither on nor off"),
        ("trusted_proxy = 'proxy.example'", "not the IP address"),
        ("port = ", "cannot read"),
        ("port = 1\nport = 2", "cannot read .*Cannot overwrite"),
    ],
)
def test_an_invalid_file(tmp_path: Path, written: str, message: str) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_text(written)
    with pytest.raises(SettingsError, match=message):
        load(environment={}, file=file)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROVREPO_THREADS", "many", "PROVREPO_THREADS: 'many' is not a whole number"),
        ("PROVREPO_THREADS", "1_0", "is not a whole number"),
        ("PROVREPO_THREADS", "\u0661", "is not a whole number"),
        ("PROVREPO_THREADS", "0", "at least 1"),
        ("PROVREPO_QUERY_TIMEOUT", "nan", "is not a number"),
        ("PROVREPO_QUERY_TIMEOUT", "soon", "is not a number"),
        ("PROVREPO_QUERY_TIMEOUT", "-1", "negative"),
        ("PROVREPO_CAPTURE", "no", "neither on nor off"),
        ("PROVREPO_TRUSTED_PROXY", "localhost", "not the IP address"),
        ("PROVREPO_THREAD", "1", "PROVREPO_THREAD: no setting has this variable; did you mean PROVREPO_THREADS"),
        ("PROVREPO_QUERYTIMEOUT", "1", "did you mean PROVREPO_QUERY_TIMEOUT"),
        ("PROVREPO_DATA_DIR", "/srv", "did you mean PROVREPO_DATA"),
        ("PROVREPO_TOKN", "", "did you mean PROVREPO_TOKEN"),
        ("PROVREPO_", "1", "no setting"),
        ("PROVREPO_PORT", "tcp://10.0.0.1:8000", "enableServiceLinks"),
        ("PROVREPO_SERVICE_HOST", "10.0.0.1", "enableServiceLinks"),
        ("PROVREPO_PORT_8000_TCP_ADDR", "10.0.0.1", "enableServiceLinks"),
    ],
)
def test_invalid_environment_variables(tmp_path: Path, name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(environment={name: value, "HOME": "/root"}, file=tmp_path / "none")


def test_other_variables_are_accepted(tmp_path: Path) -> None:
    """Variables that ``provrepo run`` sets for its command, and the one of the tests."""
    assert {RUN, REPORT, "PROVREPO_CORPUS"} == set(OTHERS)
    found = load(
        environment={**dict.fromkeys(OTHERS, "x"), "PROVREPO_HOST": "", "provrepo_x": "1"}, file=tmp_path / "none"
    )
    assert found == Settings()


def test_a_wrong_token_is_in_no_message(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_text("token = ['pvr_1_secret']")
    with pytest.raises(SettingsError) as raised:
        load(environment={}, file=file)
    assert "secret" not in str(raised.value)
    assert "token in" in str(raised.value)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_bytes(b"\xef\xbb\xbfport = 1\nquery_timeout = 5\ncapture = 'off'\n")
    found = load(environment={}, file=file)
    assert (found.port, found.query_timeout, found.capture) == (1, 5.0, "off")


def test_the_command_exits_with_2_and_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "provrepo.toml").write_text("# ours\nprot = 1\n")
    ran = provrepo("list", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr.startswith(b"error: provrepo.toml, line 2: no setting is called 'prot'; did you mean port?")
    (tmp_path / "provrepo.toml").unlink()
    ran = provrepo("list", cwd=tmp_path, PROVREPO_PROT="1")
    assert ran.returncode == 2
    assert ran.stderr == b"error: PROVREPO_PROT: no setting has this variable; did you mean PROVREPO_PORT?\n"


def test_every_setting_has_a_type_that_can_be_read(tmp_path: Path) -> None:
    for field in Settings.__dataclass_fields__.values():
        value = getattr(Settings(), field.name)
        loaded = load(environment={environment_name(field.name): str(value)}, file=tmp_path / "none")
        assert getattr(loaded, field.name) == value


def test_a_token_does_not_show_in_a_representation() -> None:
    assert "canary" not in repr(Settings(token="pvr_1_canary", peer_token="canary", sign_in_secret="canary"))


def test_a_pipeline_continues_after_a_wrong_setting_with_a_warning(tmp_path: Path) -> None:
    """Capture must never stop a program, and must warn of a setting that it ignores."""
    code = "from provrepo.capture import session, step\nwith session('a'):\n    step(abs)(1)\nprint('ran')\n"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(PROVREPO_CAPTUR="off"),
        capture_output=True,
        check=False,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (0, "ran\n")
    assert "PROVREPO_CAPTUR: no setting has this variable; did you mean PROVREPO_CAPTURE?" in ran.stderr


def test_hosts_are_names_and_addresses(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    given = "prov.example, 192.0.2.1 ,[2001:db8::1] bücher.example 2001:db8::2"
    found = load(environment={"PROVREPO_HOSTS": given}, file=file).hosts
    assert host_names(found) == ["prov.example", "192.0.2.1", "[2001:db8::1]", "bücher.example", "2001:db8::2"]
    for wrong in ("https://prov.example", "prov.example:8000", "prov.example/x", "*", "a@b", "x" * 254):
        with pytest.raises(SettingsError, match=r"PROVREPO_HOSTS.* is not a host"):
            load(environment={"PROVREPO_HOSTS": f"localhost,{wrong}"}, file=file)
