"""Views of a data directory that can only be read: a copy of those in it, in a folder of this process."""

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
"""What belongs to a process that has the views open, and would mean nothing in a copy."""


_ignored = shutil.ignore_patterns(*_LEFT_OUT)


def copy_views(data: Path, target: Path) -> None:
    """Copy the views, so that only what they do not have yet has to be applied.

    None are copied while another process holds them, whose files change: they are made anew from the ledger then, as
    they are where the copy fails.

    Args:
        data: the data directory.
        target: a folder of this process, in which ``views`` is made.
    """
    try:
        descriptor = os.open(data / "views.lock", os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        shutil.copytree(data / "views", target / "views", dirs_exist_ok=True, ignore=_ignored)
        for folder in [target / "views", *(target / "views").rglob("*")]:
            # The copy has the permissions of the original, without that to write.
            folder.chmod(PRIVATE if folder.is_dir() else 0o600)
    except (OSError, shutil.Error) as error:
        log.info("the views of %s are made anew: %s", data, error)
        shutil.rmtree(target / "views", ignore_errors=True)
    finally:
        os.close(descriptor)
