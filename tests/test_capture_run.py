"""``provrepo run`` and ``provrepo outbox``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step
from tests.captured import Captured
from tests.command import Command, environment, provrepo
from tests.test_cli_http import Served, served  # noqa: F401 (a fixture)


@pytest.fixture(autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("b\na\n")


def run(*arguments: object, code: int = 0, **variables: str) -> None:
    done = provrepo("run", *arguments, cwd=Path.cwd(), **variables)
    assert done.returncode == code, done.stderr


def test_a_command_with_its_files() -> None:
    Path("old.csv").write_text("untouched")
    run("-i", "raw.*", "-o", "*.csv", "--out", "run.ttl", "--", "sort", "raw.csv", "-o", "sorted.csv")
    found = Captured(Path("run.ttl"))
    assert found.problems() == []
    assert (found.used, found.generated) == ({("sort", "raw.csv")}, {("sorted.csv", "sort")})
    assert found.derived == {("sorted.csv", "raw.csv")}
    assert found.parameters("sort") == {"command=sort raw.csv -o sorted.csv"}
    assert Path("sorted.csv").read_text() == "a\nb\n"


def test_a_command_that_overwrites_what_it_reads() -> None:
    run("-i", "raw.csv", "-o", "raw.csv", "--out", "run.trig", "--", "sort", "raw.csv", "-o", "raw.csv")
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert len(set(found.digests("raw.csv"))) == 2


@pytest.mark.parametrize("code", [1, 3, 255])
def test_the_exit_status_is_the_commands(code: int) -> None:
    run("-o", "x", "--out", "run.trig", "--", "sh", "-c", f"echo half > x; exit {code}", code=code)
    found = Captured(Path("run.trig"))
    assert found.problems() == []
    assert (found.status("sh"), found.generated) == ("Failed", set())


def test_commands_that_cannot_run() -> None:
    run("--", "no-such-command-here", code=127)
    run("--", "./raw.csv", code=126)


def test_capture_can_be_off_and_the_command_still_runs() -> None:
    run("--", "touch", "done", PROVREPO_CAPTURE="off")
    assert Path("done").exists()
    assert not Path("prov").exists()


def test_capture_that_fails_leaves_the_command_alone() -> None:
    Path("prov").write_text("a file")
    run("--", "sh", "-c", "exit 5", code=5)


def test_secrets_in_a_command_are_masked() -> None:
    run("--out", "run.trig", "--", "true", "--token", "canary1", "--password=canary2", "KEY_SECRET=canary3")
    assert "canary" not in Path("run.trig").read_text()
    assert Path("run.trig").read_text().count("(masked)") == 3


def test_signals_reach_the_command() -> None:
    script = "trap 'echo told > told; exit 9' TERM; echo ready > ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [sys.executable, "-m", "provrepo", "run", "--out", "run.trig", "--", "sh", "-c", script], env=environment()
    )
    for _ in range(400):
        if Path("ready").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 9
    assert Path("told").exists()
    assert Captured(Path("run.trig")).status("sh") == "Failed"


def test_a_command_that_a_signal_ends() -> None:
    run("--out", "run.trig", "--", "sh", "-c", "kill -KILL $$", code=137)


class Model:
    """What training gives."""


def test_a_training_run_satisfies_its_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("test.csv").write_text("c")
    for words in (["init", "-q"], ["add", "raw.csv"]):
        subprocess.run(["git", *words], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *identity, "commit", "-qm", "x"], check=True)
    script = """
from provrepo.capture import log_data, log_metrics, log_model, log_params, session, step
class Model: pass
@step
def train():
    log_data("raw.csv", "training")
    log_data("test.csv", "test")
    log_params({"depth": 8, "api_key": "canary"}, seed=42)
    model = Model()
    log_model(model, name="forest")
    open("model.bin", "w").write("m")
    log_model("model.bin")
    log_metrics({"accuracy": 0.93})
    return model
with session("train", out="train.trig"):
    train()
"""
    Path("pipeline.py").write_text(script)
    subprocess.run([sys.executable, "pipeline.py"], check=True, env=environment())
    found = Captured(Path("train.trig"))
    assert found.problems("ml-training") == []
    assert {("__main__.Model", "raw.csv"), ("model.bin", "raw.csv")} <= found.derived
    assert not any(source == "test.csv" for _, source in found.derived)
    assert "canary" not in found.path.read_text()


def test_logging_outside_of_a_session_does_nothing() -> None:
    log_params({"a": 1})
    log_metrics({"b": 2.0})
    log_model(Model())
    log_data("raw.csv", "training")
    assert not Path("prov").exists()


def record() -> None:
    @step
    def copy() -> None:
        Path("copy.csv").write_bytes(Path("raw.csv").read_bytes())

    with session("nightly"):
        copy()


def test_the_outbox_is_sent_once(served: Served) -> None:  # noqa: F811
    command = Command(Path("unused"))
    record()
    assert command.json("outbox", "list") == [{"document": "nightly.trig", "state": "waiting"}]
    arguments = ("outbox", "send", "--to", served.url, "--project", "crops")
    sent = provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.startswith(b"nightly.trig: ")
    assert command.json("outbox", "list") == [{"document": "nightly.trig", "state": "sent"}]
    assert provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token).stdout == b""
    record()
    assert command.json("outbox", "list") == [{"document": "nightly.trig", "state": "changed"}]
    assert provrepo(*arguments, cwd=Path.cwd(), PROVREPO_TOKEN=served.token).returncode == 0
    assert json.loads(Path("prov/nightly.trig.sent").read_text())["receipt"]["version"] == 2


def test_what_cannot_be_sent_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    from provrepo.cli import run as verbs

    monkeypatch.setattr(verbs, "PAUSES", (0.0, 0.0, 0.0))
    command = Command(Path("unused"))
    record()
    result = command("outbox", "send", "--to", "http://127.0.0.1:9", code=1)
    assert result.stderr.count("trying again") == 2
    assert command.json("outbox", "list") == [{"document": "nightly.trig", "state": "waiting"}]


def test_an_outbox_that_is_not_there_is_empty() -> None:
    command = Command(Path("unused"))
    assert command.json("outbox", "list", "nowhere") == []
