"""Nothing secret is told: in documents, journals, reports, the outbox, logs and messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from provrepo.capture.facts.environment import container
from provrepo.capture.facts.parameters import shown
from provrepo.model.secrets import LONGEST, MASK, READ, command, text
from tests.support.captured import Captured
from tests.support.command import environment, provrepo
from tests.support.work import bounded

CANARY = "Canary7f3a9"
KEY = f"{CANARY}/abcdefghijklmnopqrst+UVWXYZ0"

WORDS = [
    [f"--password={CANARY}"],
    ["--password", CANARY],
    ["--db-password", CANARY],
    ["--token", CANARY],
    ["--token", "--password", CANARY],
    ["-token", CANARY],
    ["--api-key", CANARY],
    ["--apiKey", CANARY],
    [f"PGPASSWORD={CANARY}"],
    [f"AWS_SECRET_ACCESS_KEY={CANARY}"],
    [f"AccountKey={CANARY};EndpointSuffix=x"],
    ["mysql", f"-p{CANARY}"],
    ["mysqldump", "-u", "root", f"-p{CANARY}"],
    ["sshpass", "-p", CANARY, "ssh", "x"],
    ["/usr/bin/redis-cli", "-a", CANARY],
    ["curl", "-u", f"ana:{CANARY}", "https://x.example/"],
    ["curl", f"-uana:{CANARY}"],
    ["curl", "--user", f"ana:{CANARY}"],
    ["curl", "-H", f"Authorization: Basic {CANARY}"],
    ["curl", "-H", f"authorization:{CANARY}"],
    ["curl", "-H", f"Authorization: Bearer {CANARY}"],
    ["curl", "-H", f"X-Api-Key: {CANARY}"],
    ["curl", "-H", f"Cookie: a={CANARY}; b={CANARY}"],
    [f"https://ana:{CANARY}@x.example/a"],
    [f"https://ana:{CANARY}/{CANARY}@x.example/a"],
    [f"https://{CANARY}@x.example/a"],
    [f"postgresql+psycopg://ana:{CANARY}@x.example/db"],
    [f"https://x.s3.example/a?X-Amz-Signature={CANARY}&X-Amz-Credential={CANARY}"],
    [f"https://x.blob.example/a?sv=1&sig={CANARY}"],
    [f"https://x.example/a#access_token={CANARY}"],
    [f"ana:{CANARY}@x.example"],
    [KEY],
    [f"ghp_{CANARY}{CANARY}"],
    [f"AKIA{CANARY}00000"],
    [f"hf_{CANARY}{CANARY}"],
    [f"eyJ{CANARY}.eyJ{CANARY}.{CANARY}"],
    ["Bearer", f"bearer {CANARY}"],
    [f'{{"password": "{CANARY}"}}'],
    [f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END"],
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:30].replace("\n", " "))
def test_a_secret_in_a_command_is_not_told(words: list[str]) -> None:
    assert CANARY not in " ".join(command(["program", *words, "last"])), words
    line = " ".join(f"'{word}'" if " " in word else word for word in words)
    assert CANARY not in " ".join(command(["sh", "-c", f"cd x && program -v {line} | sort"]))
    assert CANARY not in " ".join(command(["sh", "-c", f'bash -c "program -v {line}"'])), line
    assert CANARY not in shown("arguments", ["program", *words])
    assert command(["program", *words, "last"])[-1] == "last"


@pytest.mark.parametrize(
    "words",
    [
        ["mkdir", "-p", "a/b"],
        ["ssh", "-p", "2222", "host"],
        ["server", "-p8080"],
        ["find", ".", "-path", "./x", "-prune", "-o", "-print"],
        ["docker", "run", "-u", "1000:1000", "image"],
        ["git", "checkout", "0123456789abcdef0123456789abcdef01234567"],
        ["cp", "a.csv", "b.csv"],
        ["fetch", "https://data.example:8443/a/b.csv"],
        ["align", "--author", "ana", "--threads", "4"],
    ],
    ids=" ".join,
)
def test_what_is_no_secret_is_told(words: list[str]) -> None:
    assert command(words) == words
    assert command(["sh", "-c", " ".join(words)]) == ["sh", "-c", " ".join(words)]


@pytest.mark.parametrize("before", range(0, 900, 7))
def test_a_secret_is_known_wherever_the_text_is_cut(before: int) -> None:
    filler = f"eyJ{'x' * before} "
    for secret in (f"https://ana:{CANARY}@x.example/", f"ghp_{CANARY}{CANARY}", f"password={CANARY}"):
        assert CANARY not in text(filler + secret)


def test_nothing_secret_is_left_by_a_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys; open('out.csv', 'w').write('o'); open('prov/x.log', 'w').close()")
    (tmp_path / "prov").mkdir()
    words = [word for group in WORDS for word in group]
    variables = dict.fromkeys(["AWS_SECRET_ACCESS_KEY", "PROVREPO_TOKEN", "HARMLESS"], CANARY)
    variables |= {"SLURM_JOB_ID": f"1;{CANARY}", "PROVREPO_SEND_TO": f"http://u:{CANARY}@127.0.0.1:9"}
    done = provrepo("run", "--", sys.executable, "script.py", *words, cwd=tmp_path, **variables)
    assert (done.returncode, done.stderr) == (0, b"")
    line = " ".join(f"'{word}'" if " " in word or "\n" in word else word for word in words if '"' not in word)
    done = provrepo(
        "run", "--", "sh", "-c", f"true {line.replace(';', '').replace('&', '')}", cwd=tmp_path, **variables
    )
    listed = provrepo("outbox", "list", cwd=tmp_path, **variables)
    sent = provrepo("outbox", "send", cwd=tmp_path, **variables)
    assert CANARY.encode() not in done.stderr + listed.stdout + listed.stderr + sent.stdout + sent.stderr
    for file in (tmp_path / "prov").rglob("*"):
        assert CANARY not in file.name
        assert CANARY not in (file.read_text() if file.is_file() else "")
    assert len(list((tmp_path / "prov").glob("*.trig"))) == 2


def test_a_command_that_cannot_start_tells_nothing(tmp_path: Path) -> None:
    done = provrepo("run", "--", "no-such-command", "--password", CANARY, cwd=tmp_path)
    assert done.returncode == 127
    assert CANARY.encode() not in done.stderr


def test_credentials_of_a_remote_are_not_told(tmp_path: Path) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (
        ["init", "-q"],
        ["remote", "add", "origin", f"https://ana:{CANARY}@git.example/x.git"],
        [*identity, "commit", "-q", "--allow-empty", "-m", CANARY],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    (tmp_path / "step.sh").write_text("cat raw.csv > out.csv")
    (tmp_path / "raw.csv").write_text("r")
    done = provrepo("run", "-i", "raw.csv", "--out", "run.trig", "--", "sh", "step.sh", cwd=tmp_path)
    assert done.returncode == 0
    assert "provrepo:commit" in (tmp_path / "run.trig").read_text()
    assert CANARY not in (tmp_path / "run.trig").read_text()


# Where it ran ---------------------------------------------------------------------------------------------------------


def test_the_job_of_slurm_by_white_list(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("r")
    variables = environment(
        SLURM_JOB_ID="4711", SLURM_JOB_NODELIST="node[01-04],gpu7", SLURM_JOB_PARTITION="long", SLURM_JOB_USER=CANARY
    )
    words = ["run", "-i", "raw.csv", "--out", "run.trig", "--", "true"]
    subprocess.run([sys.executable, "-m", "provrepo", *words], cwd=tmp_path, env=variables, check=True)
    written = (tmp_path / "run.trig").read_text()
    assert Captured(tmp_path / "run.trig").problems() == []
    for told in ("slurm:4711", "slurm.nodes=node[01-04],gpu7", "slurm.partition=long"):
        assert f'"{told}"' in written
    assert CANARY not in written


SHAPES = [
    "a", "a-", "a+", "1.", "A1", "aA1/", "%", "_", "a:", "a:b@", "://", "a://", "x://u:p@", "=", "a=", "a =", "a='",
    "'", '"', '\\"', "\\", "'\\''", "' -", '" -', "'\" -x' ", " -", "-p ", "-u", "-u a:b ", "--token ", "bearer ",
    "authorization:", "cookie=", "-----BEGIN ", "eyJ", "/", " ", "\n",
]  # fmt: skip
"""What, often repeated, expressions begin to match again and again."""


@pytest.mark.parametrize("before", ["", " -"], ids=["text", "line"])
def test_long_texts_take_no_time_that_grows_with_their_square(before: str) -> None:
    """All of these together take a second; each that is tried at every character takes from ten to hundreds."""
    with bounded():
        for shape in SHAPES:
            assert len(text(before + shape * (READ // len(shape)))) <= LONGEST


def test_an_escaped_quote_opens_nothing() -> None:
    assert text(f"C:\\ --password {CANARY}") == f"C:\\ --password {MASK}"
    assert text(f'say \\" --password {CANARY} \\"') == f'say \\" --password {MASK} \\"'
    assert text(f'sh -c "say \\"x\\" --password {CANARY}"') == f'sh -c "say \\"x\\" --password {MASK}"'


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, None),
        ({".dockerenv": ""}, "docker"),
        ({".dockerenv": "", "proc/self/mountinfo": f"1 2 /var/lib/docker/containers/{'ab' * 32}/hostname /etc/x"},
         f"docker {'ab' * 32}"),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/.containerenv": f'engine="podman-5"\nname="{CANARY}"\nimage="docker.io/x:3"\nimageid="f00d"\n'},
         "podman docker.io/x:3 f00d"),
        ({"var/run/secrets/kubernetes.io/token": CANARY}, "kubernetes"),
    ],
)  # fmt: skip
def test_the_container(files: dict[str, str], told: str | None, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert container(tmp_path) == told


def test_the_image_of_apptainer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APPTAINER_CONTAINER", "/images/align.sif")
    assert container(tmp_path) == "apptainer /images/align.sif"
