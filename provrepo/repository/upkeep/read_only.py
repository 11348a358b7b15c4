"""Views of a read-only data directory: a copy in a temporary folder of this process."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from pathlib import Path

from provrepo.ledger.storage.durable import PRIVATE

__all__ = ["copy_views"]

log = logging.getLogger("provrepo.repository.upkeep.read_only")

_LEFT_OUT = ("quads-checkpoints", ".asked-*", "LOG", "LOG.old*")
"""Files of the process that has the views open, which are meaningless in a copy."""

_ignored = shutil.ignore_patterns(*_LEFT_OUT)


def copy_views(data: Path, target: Path) -> None:
    """Copy the views, so that only newer entries have to be applied.

    If another process holds the views, whose files change then, or if the copy fails, nothing is copied and the views
    are built from the ledger.

    Args:
        data: the data directory.
        target: a folder of this process, in which ``views`` is created.
    """
    try:
        descriptor = os.open(data / "views.lock", os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        shutil.copytree(data / "views", target / "views", dirs_exist_ok=True, ignore=_ignored)
        for folder in [target / "views", *(target / "views").rglob("*")]:
            # The copy has the permissions of the original, which may lack write access.
            folder.chmod(PRIVATE if folder.is_dir() else 0o600)
    except (OSError, shutil.Error) as error:
        log.info("the views of %s are rebuilt: %s", data, error)
        shutil.rmtree(target / "views", ignore_errors=True)
    finally:
        os.close(descriptor)
