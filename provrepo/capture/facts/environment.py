"""Where a session ran, by white list: nothing is told of the environment that is not named here."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provrepo.capture.journal.events import Event
from provrepo.settings import facts

__all__ = ["brought", "container", "packages", "person", "surroundings", "writing"]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,60}")

_SLURM = {
    "SLURM_CLUSTER_NAME": "cluster",
    "SLURM_JOB_PARTITION": "partition",
    "SLURM_JOB_NODELIST": "nodes",
    "SLURM_ARRAY_JOB_ID": "array_job",
    "SLURM_ARRAY_TASK_ID": "array_task",
}
"""Variables that Slurm sets in jobs, and what they are told as."""

_IMAGES = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")
"""Variables in which Apptainer, and what it was called before, name the image."""

_DOCKER = re.compile(r"/docker/containers/([0-9a-f]{64})/")
_FIELD = re.compile(r'^(image|imageid)="([\w.:/@+-]{1,200})"$', re.MULTILINE | re.ASCII)


def surroundings(software: tuple[str, str] | None = None) -> Event:
    """Python, the platform, and the container and the job where there is one.

    Args:
        software: name and version of what is told instead of this interpreter.
    """
    implementation, version = software or (platform.python_implementation(), platform.python_version())
    told: Event = {
        "python": version,
        "implementation": implementation,
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    where = container()
    if where:
        told["container"] = where
    job = facts(["SLURM_JOB_ID"]).get("SLURM_JOB_ID", "")
    if job.isdigit():
        told["slurm"] = job
        told["facts"] = {f"slurm.{_SLURM[name]}": value for name, value in facts(_SLURM).items()}
    return told


def container(root: Path = Path("/")) -> str | None:
    """The container that this process is in, with its image or number as far as it can be known from inside."""
    image = next(iter(facts(_IMAGES).values()), None)
    if image:
        return f"apptainer {image}"
    if (root / "run/.containerenv").exists():  # written by podman, with the image where the container is privileged
        told = dict(_FIELD.findall(_text(root / "run/.containerenv")))
        return " ".join(["podman", *(told[name] for name in ("image", "imageid") if name in told)])
    found = _DOCKER.search(_text(root / "proc/self/mountinfo"))  # Docker mounts its own /etc/hosts and others
    if found:
        return f"docker {found[1]}"
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "var/run/secrets/kubernetes.io").exists():
        return "kubernetes"
    return None


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("utf-8", "replace")
    return ""


_NEEDED = frozenset({"lxml", "pyoxigraph"})
"""What writing documents imports beside the standard library."""

brought: set[str] = set()
"""What capture has imported in this process, and not the program."""


@contextmanager
def writing() -> Iterator[None]:
    """While a document is written: what this imports is nothing that later sessions of the process run on."""
    before = _NEEDED & sys.modules.keys()
    try:
        yield
    finally:
        brought.update((_NEEDED & sys.modules.keys()) - before)


def packages() -> list[str]:
    """Every package that the program imported and that says its version, as ``name==version``, sorted."""
    told = []
    for name, module in sorted(sys.modules.copy().items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names or name in brought:
            continue
        version = getattr(module, "__dict__", {}).get("__version__")
        if isinstance(version, str) and _VERSION.fullmatch(version):
            told.append(f"{name}=={version}")
    return told


def person() -> str:
    """Who runs this, as the system knows them."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd

    account = pwd.getpwuid(os.getuid())
    return account.pw_gecos.partition(",")[0].strip() or account.pw_name
