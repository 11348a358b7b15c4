"""The feed of a project for those who copy it: its entries, what it is, and the blobs that the entries name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request, send_file

from provrepo.errors import NotFound, Withdrawn
from provrepo.ledger.kinds import KINDS
from provrepo.repository.exchange.serving import BULK_BLOBS, BULK_BYTES, StreamEnd
from provrepo.repository.repository import Repository
from provrepo.repository.stream import EntryInfo
from provrepo.server.pages import pages
from provrepo.server.pages.lists import there
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.negotiate import HTML, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import Links, json_response, not_modified, pagination
from provrepo.server.routing.offers import BLOBS, ENTRIES
from provrepo.words import counted

__all__ = ["LEDGER_SORTS", "blueprint"]

blueprint = Blueprint("feed", __name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 256 << 10


@blueprint.get("/projects/<project>/ledger")
def ledger(project: str) -> Response:
    """The ledger entries of a project in order; each contains the digest of the one before it.

    As NDJSON a line is the exact bytes of an entry. HEAD has the end of the stream in header fields.
    """
    repo = auth.repository()
    page = pagination()
    if not re.fullmatch(r"[0-9]{0,15}", page.after, re.ASCII):
        raise Rejected(400, f"after={page.after[:40]} is not the number of an entry")
    after = int(page.after or 0)
    end = repo.stream_end(project)
    if request.method == "HEAD":
        choose(ENTRIES)
        repo.note_mirror(project)
        return _with_end(Response(status=304 if not_modified(end.sha256) else 200), end)
    if choose(ENTRIES).name == "ndjson":
        if request.args.get("kind") or request.args.get("sort"):
            raise Rejected(400, "lines are all entries in their order; kind= and sort= are for JSON and pages")
        lines = repo.entry_bytes(project, after=after, limit=page.limit)
        response = Response(b"".join(line + b"\n" for line in lines), content_type="application/x-ndjson")
        if lines and after + len(lines) < end.sequence:
            links = Links()
            links.add(page.next(str(after + len(lines))), "next", "application/x-ndjson")
            response.headers["Link"] = str(links)
        return _with_end(response, end)
    as_page = choose(ENTRIES).name == HTML.name
    shown, following = _entries(repo, project, after, page.limit, end.sequence)
    if as_page:
        rows = [
            (each.sequence, each.entry["time"], each.entry["kind"], _about(each.entry), each.sha256) for each in shown
        ]
        page_ = pages.page(
            "listed.html",
            project=project,
            heading=f"Ledger of {project}",
            lead="Each entry contains the digest of the one before it: none can be changed or left out unnoticed.",
            caption=_caption(shown, end.sequence),
            columns=("Entry", "Time", "Kind", "About", "SHA-256"),
            rows=rows,
            fields=[("after", "After entry", str(after or ""))],
            choices=[
                ("kind", "Kind", request.args.get("kind", ""), (("", "all"), *((kind, kind) for kind in KINDS))),
                ("sort", "Sort", request.args.get("sort", ""), tuple(LEDGER_SORTS.items())),
            ],
            empty="There are no entries here.",
            following=following,
        )
        return _with_end(page_, end)
    return json_response({"project": project, "entries": [entry.to_dict() for entry in shown]}, next_=following)


LEDGER_SORTS = {"oldest": "Oldest first", "newest": "Newest first"}
_STEP, _MOST = 1_000, 999_999_999_999_999
_SCANNED = 20_000
"""Entries that one request reads to find those of a kind; the next part goes on after them."""


def _entries(repo: Repository, project: str, after: int, limit: int, last: int) -> tuple[list[EntryInfo], str | None]:
    """The requested entries, and the address of those that follow.

    With ``sort=newest``, ``before`` takes the part of ``after``.
    """
    kind = parameters.choice("kind", KINDS)
    newest = parameters.choice("sort", LEDGER_SORTS) == "newest"
    before = parameters.number("before", _MOST)
    if before and not newest:
        raise Rejected(400, "before= is for sort=newest; use after=", parameter="before")
    if after and newest:
        raise Rejected(400, "after= is for sort=oldest; use before=", parameter="after")
    found: list[EntryInfo] = []
    place = min(before - 1, last) if before else last if newest else after
    read = 0
    while read < _SCANNED:
        begin = max(0, place - _STEP) if newest else place
        size = place - begin if newest else _STEP
        part = repo.entries(project, after=begin, limit=size) if size else []
        if not part:
            return found, None
        for entry in reversed(part) if newest else part:
            place = entry.sequence - 1 if newest else entry.sequence
            if not kind or entry.entry["kind"] == kind:
                found.append(entry)
                if len(found) == limit:
                    more = place > 0 if newest else place < last
                    return found, _further(place, newest=newest) if more else None
        read += len(part)
    return found, _further(place, newest=newest)


def _further(place: int, *, newest: bool) -> str:
    return there(**({"before": place + 1} if newest else {"after": place}))


def _caption(shown: Sequence[EntryInfo], last: int) -> str:
    if not shown:
        return ""
    return f"{counted(len(shown), 'entry', 'entries')}, {shown[0].sequence:,} to {shown[-1].sequence:,} of {last:,}"


def _about(entry: Mapping[str, Any]) -> str:
    """What an entry is about, in a few words; the JSON has all of it."""
    document, version = entry.get("document"), entry.get("version")
    if document:
        return f"{document}, version {version}" if version else str(document)
    return ", ".join(
        str(entry[name]) if entry[name] is not True else name
        for name in ("pending", "decision", "peer", "public", "title")
        if entry.get(name)
    )


@blueprint.get("/projects/<project>/ledger/origin")
def origin(project: str) -> Response:
    """What a copy of a project needs to know beside its entries: identity, base IRI, and the names of actors."""
    after = request.args.get("after") or "0"
    if not re.fullmatch(r"[0-9]{1,15}", after, re.ASCII):
        raise Rejected(400, f"after={after[:40]} is not the number of an entry")
    return json_response(auth.repository().origin(project, after=int(after)).to_dict())


@blueprint.get("/projects/<project>/blobs/<sha256>")
def blob(project: str, sha256: str) -> Response:
    """A blob that an entry of the project names, by its digest: bytes or report of a version, or a profile.

    Parts can be requested (``Range``); 410 if it is of withdrawn or erased versions only.
    """
    path = auth.repository().blob(project, _digest(sha256))
    response = send_file(
        path, mimetype="application/octet-stream", etag=sha256, conditional=True, last_modified=None, max_age=None
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{sha256}"'
    encoded = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
    response.headers["Repr-Digest"] = f"sha-256=:{encoded}:"  # RFC 9530
    return response


@blueprint.post("/projects/<project>/blobs")
def blobs(project: str) -> Response:
    """Several blobs at once. Before the bytes of each is a line of JSON with its ``sha256`` and ``size``.

    A blob that is not sent has ``absent`` with the reason in its line, or ``separate`` if it has to be requested alone,
    since it is large.
    """
    repo = auth.repository()
    given = body.json_object()
    wanted = given.get("sha256")
    if given.keys() != {"sha256"} or not isinstance(wanted, list) or len(wanted) > BULK_BLOBS:
        raise Rejected(400, f"send a JSON object with sha256, a list of up to {BULK_BLOBS} digests")
    choose(BLOBS)
    repo.require(project)
    parts: list[tuple[dict[str, object], Path | None]] = []
    left = BULK_BYTES
    for digest in wanted:
        line: dict[str, object] = {"sha256": _digest(digest)}
        path: Path | None = None
        try:
            path = repo.blob(project, digest)
        except Withdrawn as error:
            parts.append(({**line, "absent": str(error)}, None))
            continue
        except NotFound as error:
            parts.append(({**line, "absent": str(error)}, None))
            continue
        size = path.stat().st_size
        if size > left:
            parts.append(({**line, "size": size, "separate": True}, None))
        else:
            left -= size
            parts.append(({**line, "size": size}, path))
    return Response(_bulk(parts), content_type=BLOBS[0].media_types[0])


def _bulk(parts: list[tuple[dict[str, object], Path | None]]) -> Iterator[bytes]:
    for line, path in parts:
        data = b""
        if path is not None:
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # erased meanwhile
                yield json.dumps({"sha256": line["sha256"], "absent": "erased"}).encode() + b"\n"
                continue
        yield json.dumps(line).encode() + b"\n" + data


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise Rejected(400, f"{str(value)[:80]} is not a SHA-256 in lower-case hexadecimal")
    return value


def _with_end(response: Response, end: StreamEnd) -> Response:
    if end.sha256:
        response.set_etag(end.sha256)
    response.headers["Provrepo-Sequence"] = str(end.sequence)
    response.headers["Provrepo-Setup-Id"] = end.setup
    response.headers["Provrepo-About"] = end.about
    return response
