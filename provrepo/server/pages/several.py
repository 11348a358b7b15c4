"""Several files that are chosen at once on the page for submissions: each is a document, with an outcome of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from provrepo import errors
from provrepo.checks.render import groups
from provrepo.checks.report import Report
from provrepo.repository.exchange import rights
from provrepo.repository.repository import Repository
from provrepo.repository.submission.submit import name_for
from provrepo.server.protocol.rejections import Rejected

__all__ = ["MOST", "ChosenFile", "Outcome", "checked", "chosen", "stored"]

MOST = 50
"""Files at once. A larger set is for `provrepo submit`, which goes on where it was interrupted."""


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A file of the form: the name of its document, and its bytes."""

    file: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file.

    Attributes:
        file: its name.
        name: the name of its document.
        state: ``conforms`` or ``refused`` by a check; ``stored``, ``same``, ``waits`` or ``kept``; ``taken`` if another
            document has the name, ``failed`` if it cannot be read or is too large.
        report: of the checks, or None.
        message: the reason, if it was not stored; otherwise empty.
        version: the number of the version, or None.
        pending: the identifier of the document that waits or is kept; otherwise empty.
    """

    file: str
    name: str
    state: str
    report: Report | None = None
    message: str = ""
    version: int | None = None
    pending: str = ""

    @property
    def first(self) -> str:
        """The first thing to mend, in words; empty for none."""
        found = groups(self.report) if self.report else []
        return (found[0].message or found[0].first.message) if found else ""


def chosen() -> tuple[ChosenFile, ...]:
    """The files in the body of the current request, in their order.

    Raises:
        Rejected: 413, they are more than can be taken at once.
    """
    found = []
    for file in request.files.getlist("file"):
        data = file.read()
        if data:
            name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
            found.append(ChosenFile(name, name_for(name, hashlib.sha256(data).hexdigest()), data))
    if len(found) > MOST:
        raise Rejected(
            413, f"{len(found)} files were chosen; {MOST} are taken at once, and `provrepo submit` any number"
        )
    return tuple(found)


def checked(repo: Repository, files: Sequence[ChosenFile], project: str, profiles: Sequence[str]) -> list[Outcome]:
    """Check files as submissions would be; nothing is stored.

    Args:
        repo: the repository of the caller.
        files: the files.
        project: the project whose profiles apply too; empty for none.
        profiles: names of profiles.
    """
    found = []
    for each in files:
        try:
            report = repo.validate(each.data, project=project or None, profiles=list(profiles))
        except (errors.Denied, errors.NotFound):
            raise
        except errors.Error as error:
            found.append(Outcome(each.file, each.name, "failed", message=str(error)))
        else:
            found.append(Outcome(each.file, each.name, "conforms" if report.conforms else "refused", report))
    return found


def stored(
    repo: Repository, files: Sequence[ChosenFile], project: str, profiles: Sequence[str], note: str
) -> list[Outcome]:
    """Store each file that can be stored, and keep each that is refused, at an address where it can be mended.

    Args:
        repo: the repository of the caller.
        files: the files.
        project: the project.
        profiles: names of profiles beyond those of the project.
        note: of the submitter, for each.
    """
    reviewed = rights.is_reviewed(repo.context, project)
    return [_stored(repo, each, project, reviewed, {"profiles": profiles, "note": note}) for each in files]


def _stored(repo: Repository, each: ChosenFile, project: str, reviewed: bool, given: dict[str, Any]) -> Outcome:
    try:
        if reviewed:
            waiting, _ = repo.submit_for_review(each.data, project=project, name=each.name, **given)
            return Outcome(each.file, each.name, "waits", pending=waiting.id)
        receipt = repo.submit(each.data, project=project, name=each.name, **given)
    except errors.Refused as error:
        kept, _ = repo.submit_for_review(each.data, project=project, name=each.name, refused=True, **given)
        report = error.report if isinstance(error.report, Report) else None
        return Outcome(each.file, each.name, "kept", report, str(error), pending=kept.id)
    except (errors.Conflict, errors.Stale) as error:
        return Outcome(each.file, each.name, "taken", message=str(error))
    except (errors.Denied, errors.NotFound):
        raise
    except errors.Error as error:  # the others are stored all the same
        return Outcome(each.file, each.name, "failed", message=str(error))
    return Outcome(each.file, each.name, "stored" if receipt.created else "same", version=receipt.version.version)
