"""The page on which a step is recorded that no code did: a form whose answers become a PROV document."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, Response, request

from provrepo.authoring.fields import FIELDS, FieldError
from provrepo.authoring.steps import described
from provrepo.authoring.steps import document as document_of
from provrepo.checks.report import Report
from provrepo.codecs import formats
from provrepo.repository import access
from provrepo.repository.exchange import rights
from provrepo.repository.repository import Repository
from provrepo.server.pages import pages, submitting
from provrepo.server.protocol import auth, codings
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("recording", __name__)

_FORMAT = "provn"
_PROFILES = ("core",)
"""What a recorded step conforms to, whatever its project asks."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What the form has, and what becomes of it.

    Attributes:
        values: the texts of the fields, by name; those of a field with several values have a line for each.
        wrong: the name of the field that cannot be used, or empty.
        message: what is wrong with it.
        text: the document, or empty.
        report: the report on it, or None.
    """

    values: dict[str, str]
    wrong: str = ""
    message: str = ""
    text: str = ""
    report: Report | None = None


@blueprint.get("/record")
def form() -> Response:
    """The form; as JSON its fields, and the projects to which the caller may submit."""
    repo = auth.repository()
    project = request.args.get("project", "")
    if project:
        access.name("project", project)
    if choose((JSON, HTML)).name != HTML.name:
        projects = [info.to_dict() for info in submitting.writable(repo)]
        return json_response({"projects": projects, "fields": [asdict(field) for field in FIELDS]})
    return _page(repo, project, "", None)


@blueprint.post("/record")
def check() -> Response:
    """The document that the answers make, with its report; nothing is stored."""
    repo = auth.repository()
    codings.open_body()
    auth.require_form()
    project = request.form.get("project", "")
    return _page(repo, project, request.form.get("name", "").strip(), _step(repo, project))


@blueprint.post("/projects/<project>/record")
def store(project: str) -> Response:
    """Store the document that the answers make."""
    repo = auth.repository()
    codings.open_body()
    auth.require_form()
    name, chosen = request.form.get("name", "").strip(), request.form.get("project", "")
    step = _step(repo, chosen)
    if not step.text or chosen != project:
        return _page(repo, chosen, name, step, 422 if not step.text else 200)
    sent = submitting.Form(
        project=project,
        name=name or _name(step.values["what"]),
        profiles=_PROFILES,
        text=step.text,
        data=step.text.encode(),
        note="recorded by hand",
    )
    return submitting.stored(repo, sent)


def _step(repo: Repository, project: str) -> _Step:
    values = {field.name: request.form.get(field.name, "").replace("\r\n", "\n") for field in FIELDS}
    several = {field.name for field in FIELDS if field.several}
    try:
        step = described({name: text.split("\n") if name in several else [text] for name, text in values.items()})
    except FieldError as error:
        return _Step(values, error.field, error.message)
    text = formats.write(document_of([step]), _FORMAT).decode()
    chosen = next((info for info in submitting.writable(repo) if info.name == project), None)
    profiles = list(dict.fromkeys([*(chosen.profiles if chosen else ()), *_PROFILES]))
    report = repo.validate(text.encode(), project=chosen.name if chosen else None, profiles=profiles)
    return _Step(values, text=text, report=report)


def _name(what: str) -> str:
    """A name for the document from what was done."""
    return re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-")[:60] or "step"


def _page(repo: Repository, project: str, name: str, step: _Step | None, status: int = 200) -> Response:
    projects = submitting.writable(repo)
    if not project and len(projects) == 1:
        project = projects[0].name
    chosen: Any = next((info for info in projects if info.name == project), None)
    page = pages.page(
        "record.html",
        fields=FIELDS,
        step=step,
        name=name,
        projects=projects,
        project=chosen,
        reviewed=chosen is not None and rights.is_reviewed(repo.context, chosen.name),
    )
    page.status_code = status
    page.headers["Cache-Control"] = "no-store"
    return page
