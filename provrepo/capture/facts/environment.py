"""The environment of a session: a fixed list of facts; nothing else of the environment is recorded."""

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

__all__ = ["imported_by_capture", "container", "packages", "person", "environment", "writing"]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,60}")

_SLURM = {
    "SLURM_CLUSTER_NAME": "cluster",
    "SLURM_JOB_PARTITION": "partition",
    "SLURM_JOB_NODELIST": "nodes",
    "SLURM_ARRAY_JOB_ID": "array_job",
    "SLURM_ARRAY_TASK_ID": "array_task",
}
"""Variables that Slurm sets in jobs, and the names under which they are recorded."""

_IMAGES = ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")
"""Variables in which Apptainer, formerly Singularity, names the image."""

_DOCKER = re.compile(r"/docker/containers/([0-9a-f]{64})/")
_FIELD = re.compile(r'^(image|imageid)="([\w.:/@+-]{1,200})"$', re.MULTILINE | re.ASCII)


def environment(software: tuple[str, str] | None = None) -> Event:
    """Python, the platform, and the container and the job where there is one.

    Args:
        software: name and version to record instead of those of this interpreter.
    """
    implementation, version = software or (platform.python_implementation(), platform.python_version())
    found: Event = {
        "python": version,
        "implementation": implementation,
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    where = container()
    if where:
        found["container"] = where
    job = facts(["SLURM_JOB_ID"]).get("SLURM_JOB_ID", "")
    if job.isdigit():
        found["slurm"] = job
        found["facts"] = {f"slurm.{_SLURM[name]}": value for name, value in facts(_SLURM).items()}
    return found


def container(root: Path = Path("/")) -> str | None:
    """The container of this process, with its image or number where that can be read from inside."""
    image = next(iter(facts(_IMAGES).values()), None)
    if image:
        return f"apptainer {image}"
    if (root / "run/.containerenv").exists():  # written by podman, with the image where the container is privileged
        fields = dict(_FIELD.findall(_text(root / "run/.containerenv")))
        return " ".join(["podman", *(fields[name] for name in ("image", "imageid") if name in fields)])
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
"""The packages that writing documents imports."""

imported_by_capture: set[str] = set()
"""The packages that capture, and not the program, imported in this process."""


@contextmanager
def writing() -> Iterator[None]:
    """Mark packages that are imported while a document is written as imported by capture."""
    before = _NEEDED & sys.modules.keys()
    try:
        yield
    finally:
        imported_by_capture.update((_NEEDED & sys.modules.keys()) - before)


def packages() -> list[str]:
    """Every package with a version that the program imported, as ``name==version``, sorted."""
    found = []
    for name, module in sorted(sys.modules.copy().items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names or name in imported_by_capture:
            continue
        version = getattr(module, "__dict__", {}).get("__version__")
        if isinstance(version, str) and _VERSION.fullmatch(version):
            found.append(f"{name}=={version}")
    return found


def person() -> str:
    """The name of the user of this process, from the account."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd

    account = pwd.getpwuid(os.getuid())
    return account.pw_gecos.partition(",")[0].strip() or account.pw_name
