"""Worker processes: limits, deadlines, and exceptions that keep class and attributes."""

from __future__ import annotations

import ctypes
import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provrepo import errors
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.limits import STACK_BYTES
from provrepo.workers import wire
from provrepo.workers.callers import Caller, Client, on_behalf_of
from provrepo.workers.child import in_worker
from provrepo.workers.pool import Pool, default_pool

HERE = "tests.workers.test_workers"


@pytest.fixture(scope="module")
def pool():
    with Pool(size=2, memory=1024) as pool:
        yield pool


# What the tests run in workers.


def facts():
    return {"pid": os.getpid(), "inside": in_worker(), "stack": threading.stack_size(), "stdin": sys.stdin.read()}


def echo(value):
    return value


def nap(seconds, pidfile=None):
    if pidfile:
        Path(pidfile).write_text(str(os.getpid()))
    time.sleep(seconds)
    return os.getpid()


def meet(folder, count):
    """Wait until a number of workers run this; return the process id."""
    Path(folder, str(os.getpid())).touch()
    while len(list(Path(folder).iterdir())) < count:
        time.sleep(0.01)
    return os.getpid()


def raise_error(name):
    raise SAMPLES[name]


def raise_value_error():
    raise ValueError("seven is not a letter")


def unspeakable():
    return object()


def chatter():
    print("hello from Python")
    os.write(1, b"hello from C\n")
    return "said"


def crash(number):
    os.kill(os.getpid(), number)
    time.sleep(10)


def segfault():
    ctypes.string_at(0)


def hoard(mebibytes):
    return len(bytearray(mebibytes << 20))


def breed(pidfile):
    child = subprocess.Popen(["sleep", "600"])
    Path(pidfile).write_text(str(child.pid))
    time.sleep(600)


FINDING = Finding("syntax", "prov-dm:mandatory", Severity.VIOLATION, "no entity", focus="http://example.org/a", line=3)
SAMPLES: dict[str, errors.Error] = {
    **{name: getattr(errors, name)(f"a sentence of {name}") for name in errors.__all__ if name != "Refused"},
    "QueryError": errors.QueryError("no query", line=1, column=9, format="sparql"),
    "ReadError": errors.ReadError("unexpected )", line=3, column=7, format="provn"),
    "Refused": errors.Refused("does not conform", Report.of([FINDING], layers=["syntax"], statements=1)),
    "UsageError": errors.UsageError("no such \ud800 option"),
    "Withdrawn": errors.Withdrawn("gone", reason="wrong data", time="2024-05-31T14:00:00Z"),
}


def test_a_worker_is_reused_and_knows_that_it_is_one(pool):
    first = pool.call(f"{HERE}:facts", {}, timeout=60)
    second = pool.call(f"{HERE}:facts", {}, timeout=60)
    assert first["pid"] == second["pid"] != os.getpid()
    assert first["inside"] is True
    assert in_worker() is False
    assert first["stack"] == STACK_BYTES
    assert first["stdin"] == ""


@pytest.mark.parametrize("value", [None, [1, 2.5, "ü\n\x00", {"a": []}], "\ud800", "x" * 5_000_000])
def test_json_passes_unchanged_however_long(pool, value):
    assert pool.call(f"{HERE}:echo", {"value": value}, timeout=60) == value


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_keep_class_text_and_attributes(pool, name):
    with pytest.raises(errors.Error) as caught:
        pool.call(f"{HERE}:raise_error", {"name": name}, timeout=60)
    sent = SAMPLES[name]
    assert type(caught.value) is type(sent)
    assert str(caught.value) == str(sent)
    expected = {k: v.to_dict() if isinstance(v, Report) else v for k, v in vars(sent).items()}
    assert vars(caught.value) == expected


def test_an_error_class_from_elsewhere_arrives_as_the_one_of_ours_above_it():
    class Special(errors.ReadError):
        pass

    arrived = wire.decode_error(json.loads(json.dumps(wire.encode_error(Special("odd", line=2)))))
    assert type(arrived) is errors.ReadError
    assert arrived.line == 2


def test_a_full_disk_is_an_error_of_ours_in_every_process():
    arrived = wire.decode_error(json.loads(json.dumps(wire.encode_error(OSError(errno.ENOSPC, "No space left")))))
    assert type(arrived) is errors.NoSpace
    assert wire.decode_error(wire.encode_error(OSError(errno.EIO, "Input/output error"))) is None


def test_other_exceptions_are_named_and_their_traceback_is_logged(pool, caplog):
    with caplog.at_level(logging.INFO, "provrepo.workers"), pytest.raises(errors.WorkerFailed) as caught:
        pool.call(f"{HERE}:raise_value_error", {}, timeout=60)
    assert "ValueError: seven is not a letter" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "in raise_value_error" in caplog.text
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_a_result_that_is_not_json_is_an_error_and_not_a_hang(pool):
    with pytest.raises(errors.WorkerFailed, match="object cannot pass between processes"):
        pool.call(f"{HERE}:unspeakable", {}, timeout=60)


def test_output_of_a_worker_is_logged_and_does_not_disturb_replies(pool, caplog, capfd):
    with caplog.at_level(logging.INFO, "provrepo.workers"):
        assert pool.call(f"{HERE}:chatter", {}, timeout=60) == "said"
    assert "hello from C" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_call_is_killed_at_its_deadline_with_all_that_it_started(tmp_path):
    with Pool(1) as pool:
        pool.call(f"{HERE}:facts", {}, timeout=60)
        with pytest.raises(errors.WorkerFailed, match="longer than 1 second"):
            pool.call(f"{HERE}:breed", {"pidfile": str(tmp_path / "pid")}, timeout=1)
        assert gone(int((tmp_path / "pid").read_text()))
        assert pool.call(f"{HERE}:echo", {"value": 1}, timeout=60) == 1


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        ("segfault", {}, "SIGSEGV: it crashed, as parsers do on input that is nested very deeply"),
        ("crash", {"number": int(signal.SIGABRT)}, "SIGABRT"),
        ("crash", {"number": int(signal.SIGKILL)}, "SIGKILL"),
        ("crash", {"number": int(signal.SIGTERM)}, "SIGTERM"),
    ],
)
def test_a_dead_worker_is_reported_and_replaced(pool, function, arguments, words):
    with pytest.raises(errors.WorkerFailed, match=words):
        pool.call(f"{HERE}:{function}", arguments, timeout=60)
    assert pool.call(f"{HERE}:echo", {"value": "alive"}, timeout=60) == "alive"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit the address space")
def test_memory_is_limited(pool):
    with pytest.raises(errors.WorkerFailed, match="more memory than the 1024 MiB"):
        pool.call(f"{HERE}:hoard", {"mebibytes": 2000}, timeout=60)
    assert pool.call(f"{HERE}:hoard", {"mebibytes": 100}, timeout=60) == 100 << 20


def test_at_most_size_workers_run_and_other_calls_wait():
    with Pool(2) as pool, ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(pool.call, f"{HERE}:nap", {"seconds": 0.1}, timeout=120) for _ in range(6)]
        assert len({job.result() for job in jobs}) <= 2


def test_the_queue_timeout_ends_with_busy(tmp_path):
    with Pool(1) as pool, ThreadPoolExecutor(1) as threads:
        pool.call(f"{HERE}:facts", {}, timeout=60)
        long = threads.submit(pool.call, f"{HERE}:meet", {"folder": str(tmp_path), "count": 2}, timeout=20)
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        with pytest.raises(errors.Busy, match="1 worker"):
            pool.call(f"{HERE}:facts", {}, timeout=20, queue_timeout=0.1)
        (tmp_path / "over").touch()
        assert long.result() > 0


def test_closing_ends_busy_workers_and_waiting_calls(tmp_path):
    pool = Pool(1)
    pool.call(f"{HERE}:facts", {}, timeout=60)
    with ThreadPoolExecutor(2) as threads:
        arguments = {"folder": str(tmp_path), "count": 2}  # of one worker, which it never sees
        jobs = [threads.submit(pool.call, f"{HERE}:meet", arguments, timeout=600) for _ in range(2)]
        while not list(tmp_path.iterdir()):
            time.sleep(0.01)
        pool.close()
        for job in jobs:
            with pytest.raises(errors.WorkerFailed):
                job.result(timeout=60)
    with pytest.raises(errors.WorkerFailed, match="closed"):
        pool.call(f"{HERE}:facts", {}, timeout=60)
    pool.close()


def gone(pid: int, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if zombie(pid):
            return True
        time.sleep(0.05)
    return False


def zombie(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip().startswith("Z")


def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    pidfile = tmp_path / "pid"
    script = f"from provrepo.workers.pool import Pool; Pool(1).call('{HERE}:nap', " + (
        f"{{'seconds': 120, 'pidfile': {str(pidfile)!r}}}, timeout=300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], env=environment())
    try:
        deadline = time.monotonic() + 120
        while not (pidfile.exists() and pidfile.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        worker = int(pidfile.read_text())
        assert not gone(worker, 0.3)
    finally:
        parent.kill()
        parent.wait()
    assert gone(worker)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def test_a_script_without_a_guard_is_not_run_again_and_its_directory_is_no_source_of_modules(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    (tmp_path / "user.py").write_text(
        "import sys; del sys.path[0]\n"
        "print('started')\n"
        "from provrepo.workers.pool import default_pool\n"
        f"print(default_pool().call('{HERE}:echo', {{'value': 'done'}}, timeout=20))\n"
    )
    run = subprocess.run(
        [sys.executable, "user.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "started\ndone\n", "")


def test_the_shared_pool_is_one_and_sized_by_the_settings(monkeypatch):
    default_pool.cache_clear()
    monkeypatch.setenv("PROVREPO_WORKERS", "3")
    try:
        shared = default_pool()
        assert shared is default_pool()
        assert shared._size == 3
        shared.close()
    finally:
        default_pool.cache_clear()


def test_a_worker_imports_nothing_heavy_before_its_first_call():
    heavy = {"rdflib", "pyshacl", "pyoxigraph", "prov", "lxml", "flask", "click", "provrepo.checks"}
    script = "import sys, provrepo.workers.child; print(*sys.modules)"
    names = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert heavy.isdisjoint(names.stdout.split())


# For whom workers work.


def test_a_worker_is_free_once_its_client_is_gone(tmp_path):
    left = threading.Event()
    with Pool(1) as pool, ThreadPoolExecutor(1) as threads:
        arguments = {"folder": str(tmp_path), "count": 2}  # of one worker, which it never sees
        job = threads.submit(call_as, pool, Client(Caller.STRANGER, left.is_set), "meet", arguments)
        wait_for(tmp_path)
        left.set()
        assert pool.call(f"{HERE}:echo", {"value": 1}, timeout=60) == 1
        with pytest.raises(errors.WorkerFailed, match="no longer needed"):
            job.result(timeout=60)
        assert set(pool.figures().values()) == {(0, 0)}


@pytest.mark.parametrize("lower", [Caller.STRANGER, Caller.READER])
def test_with_one_worker_a_writer_gets_it_from_lower_classes(tmp_path, lower):
    with Pool(1, grace=0.01) as pool, ThreadPoolExecutor(1) as threads:
        job = threads.submit(call_as, pool, Client(lower), "meet", {"folder": str(tmp_path), "count": 2})
        wait_for(tmp_path)
        assert pool.call(f"{HERE}:echo", {"value": 1}, timeout=60) == 1
        with pytest.raises(errors.Busy, match="go first"):
            job.result(timeout=60)


def test_strangers_that_never_end_leave_a_worker_to_writers(tmp_path):
    with Pool(2, waiting={Caller.STRANGER: 3}) as pool, ThreadPoolExecutor(20) as threads:
        arguments = {"folder": str(tmp_path), "count": 100}
        jobs = [threads.submit(call_as, pool, Client(Caller.STRANGER), "meet", arguments) for _ in range(20)]
        wait_for(tmp_path)
        for number in range(10):
            assert pool.call(f"{HERE}:echo", {"value": number}, timeout=60) == number
        assert len(list(tmp_path.iterdir())) == 1
        # Three wait, for a while; the others are refused at once.
        refused = [job for job in jobs if job.done()]
        while len(refused) < 20 - 1 - 3:
            time.sleep(0.01)
            refused = [job for job in jobs if job.done()]
        assert all(isinstance(job.exception(), errors.Busy) for job in refused)
        pool.close()


def test_strangers_have_their_own_deadline(tmp_path):
    with Pool(1, public_timeout=0.5) as pool:
        assert pool.seconds(60) == 60
        arguments = {"folder": str(tmp_path), "count": 2}
        with pytest.raises(errors.TimedOut, match=r"0\.5 s"):
            call_as(pool, Client(Caller.STRANGER), "meet", arguments)
        for caller in (Caller.READER, Caller.WRITER):
            with on_behalf_of(Client(caller)):
                assert pool.seconds(60) == 60


def call_as(pool: Pool, client: Client, function: str, arguments: dict[str, object]) -> object:
    with on_behalf_of(client):
        return pool.call(f"{HERE}:{function}", arguments, timeout=600)


def wait_for(folder: Path) -> None:
    while not list(folder.iterdir()):
        time.sleep(0.01)
