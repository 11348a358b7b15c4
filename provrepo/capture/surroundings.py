"""Where a session ran, by white list: nothing is told of the environment that is not named here."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

from provrepo.capture.journal import Event
from provrepo.settings import slurm_job

__all__ = ["packages", "person", "surroundings"]

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,60}")


def surroundings() -> Event:
    """Python, the platform, and the container and the job where there is one."""
    told: Event = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for mark, engine in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman")):
        if Path(mark).exists():
            told["container"] = engine
    job = slurm_job()
    if job:
        told["slurm"] = job
    return told


def packages() -> list[str]:
    """Every imported package that says its version, as ``name==version``, sorted."""
    told = []
    for name, module in sorted(sys.modules.copy().items()):
        if "." in name or name.startswith("_") or name in sys.stdlib_module_names:
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
