"""The table of routes is complete, and every route admits callers by its row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from provrepo.repository.people.roles import ROLES, Right
from provrepo.server.app import create_app
from provrepo.server.routing import admission
from provrepo.server.routing.openapi import describe
from provrepo.server.routing.rates import Rate
from provrepo.server.routing.routes import OPERATIONS, Operation, Permission
from tests.support.serving import PROVN_TYPE, Site, opened

IN_PATH = {
    "document": "run",
    "version": "1",
    "number": "1",
    "name": "failures",
    "key": "0",
    "sha256": "00" * 32,
    "tile": "0/000.p/1",
    "filename": "style.css",
    "profile": "core",
    "pending": "0" * 32,
    "webhook": "0" * 32,
    "namespace": "lab",
    "job": "plot",
    "dataset": "plots",
    "run": "0",
    "who": "ada",
    "token": "0" * 16,
    "session": "0" * 16,
    "invitation": "0" * 32,
}
BODY = b"a body that is not read"

RIGHTS = {
    **dict.fromkeys(("stranger", "foreign"), ""),
    "reader": "R",
    "writer": "RSC",
    "all": "RSCMA",
    # By their roles in both projects.
    **{"member reader": "R", "member submitter": "RS", "member curator": "RSC", "member owner": "RSCM"},
    "administrator": "RSCMA",
    # A token with fewer scopes than its actor has rights.
    **{"limited owner": "RS", "limited administrator": "R"},
}
"""The rights of callers in the projects: to read, submit, curate and manage, and to administer the repository."""
NEEDED = {
    Permission.READ: "R",
    Permission.WRITE: "S",
    Permission.SEND: "S",
    Permission.CURATE: "C",
    Permission.MANAGE: "M",
    Permission.ADMINISTER: "A",
}
CALLERS = (*RIGHTS, "revoked", "expired", "unknown", "malformed", "basic")
WRONG = frozenset({"revoked", "expired", "unknown", "malformed", "basic"})
PLACES = ("open", "secret", "missing")
"""A public project, a private one, and one that does not exist."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        owner = site.owner
        owner.create_project("elsewhere")
        site.tokens |= {
            "foreign": owner.create_token("fay", projects=["elsewhere"], write=False)[0],
            "reader": owner.create_token("eve", projects=["open", "secret"], write=False)[0],
            "writer": owner.create_token("bob", projects=["open", "secret"])[0],
        }
        for role in ROLES:
            owner.add_user(f"member {role}")
            for project in ("open", "secret"):
                owner.set_member(project, f"member {role}", role)
            site.tokens[f"member {role}"] = owner.create_token(f"member {role}", scopes=list(Right))[0]
        owner.add_user("administrator")
        owner.set_administrator("administrator", True)
        site.tokens |= {
            "administrator": owner.create_token("administrator", scopes=["manage", "curate", "submit"])[0],
            "limited owner": owner.create_token("member owner", scopes=["submit"])[0],
            "limited administrator": owner.create_token("administrator", scopes=["read"])[0],
        }
        secret, made = owner.create_token("rex")
        owner.revoke_token(made.id)
        ended, late = owner.create_token("lea", days=1)
        with site.store.ledger.database.writing() as connection:
            connection.execute("UPDATE tokens SET expires = '2020-01-01T00:00:00Z' WHERE id = ?", (late.id,))
        site.tokens |= {"revoked": secret, "expired": ended, "unknown": f"pvr_{'0' * 16}_{'a' * 43}"}
        yield site


def headers(site: Site, caller: str) -> dict[str, str]:
    if caller == "stranger":
        return {}
    if caller in ("malformed", "basic"):
        return {"Authorization": "Bearer pvr_" if caller == "malformed" else "Basic YTpi"}
    return {"Authorization": f"Bearer {site.tokens[caller]}"}


def routes(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule.rule, method, OPERATIONS[rule.endpoint, "GET" if method == "HEAD" else method]


def expected(row: Operation, caller: str, project: str | None) -> int | None:
    """The expected status of a refusal; None if the request reaches its handler."""
    permission = row.access.permission
    if permission is Permission.NOTHING:
        return None
    if caller in WRONG:
        return 401
    refused = 401 if caller == "stranger" else 403
    if permission is Permission.CALLER:
        return None
    if project is not None:
        visible = project == "open" or (project == "secret" and "R" in RIGHTS[caller])
        if not visible:
            return 404
        if permission is Permission.READ:
            return None
    elif permission is Permission.SIGNED_IN:
        return refused  # no token does
    elif permission not in (Permission.ADMINISTER, Permission.WRITE):
        return None
    # No caller here is a peer.
    return None if NEEDED[permission] in RIGHTS[caller] else refused


def sent(site: Site, rule: str, method: str, caller: str, project: str | None) -> Any:
    path = re.sub(r"<(?:[^:>]*:)?([^>]*)>", lambda f: project if f[1] == "project" else IN_PATH[f[1]], rule)
    body = {"data": BODY, "content_type": "application/x-nothing"} if method in ("POST", "PUT") else {}
    # Handlers are replaced, and so answer what is not described.
    client = FlaskClient(site.app, site.app.response_class)
    return client.open(path, method=method, headers=headers(site, caller), **body)


def is_form(row: Operation) -> bool:
    """Whether it takes forms of pages only, which need more than a permission (tests/server/test_sessions.py)."""
    return 303 in row.statuses or "multipart/form-data" in row.request_types


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_admits_callers_by_its_row(site: Site, caller: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Handlers are replaced by functions that record the call."""
    reached = {endpoint: (lambda **_: ("reached", 299)) for endpoint in site.app.view_functions}
    monkeypatch.setattr(site.app, "view_functions", reached)
    tried = 0
    for rule, method, row in routes(site.app):
        for project in PLACES if "<project>" in rule else (None,):
            answer = sent(site, rule, method, caller, project)
            assert answer.status_code == (expected(row, caller, project) or 299), (method, rule, caller, project)
            tried += 1
    assert tried > 120


@pytest.mark.parametrize("caller", ["stranger", "foreign"])
def test_missing_and_private_projects_give_the_same_response(site: Site, caller: str) -> None:
    for rule, method, _ in routes(site.app):
        if "<project>" not in rule:
            continue
        private, missing = (sent(site, rule, method, caller, project) for project in ("secret", "missing"))
        assert private.status_code == missing.status_code == 404, (method, rule)
        assert private.data == missing.data, (method, rule)
        assert {k: v for k, v in private.headers if k != "X-Request-Id"} == {
            k: v for k, v in missing.headers if k != "X-Request-Id"
        }


def test_admitted_callers_reach_the_handlers(site: Site) -> None:
    """With the real handlers, requests that the table admits get no 401, 403 or 429."""
    tried = 0
    for rule, method, row in routes(site.app):
        for caller in ("stranger", "reader", "all"):
            for project in ("open", "secret") if "<project>" in rule else (None,):
                if method != "DELETE" and not is_form(row) and expected(row, caller, project) is None:
                    status = sent(site, rule, method, caller, project).status_code
                    assert status not in (401, 403, 429), (method, rule, caller)
                    assert status < 500 or rule == "/ready", (method, rule, caller)
                    tried += 1
    assert tried > 100


def test_a_project_in_the_query_needs_to_be_readable(site: Site) -> None:
    for path in ("/lineage?iri=x:y&project=", "/search?q=table&project=", "/queries/failures?project="):
        for caller in ("stranger", "foreign"):
            found = [site.client.get(path + name, headers=headers(site, caller)) for name in ("secret", "missing")]
            assert [answer.status_code for answer in found] == [404, 404], path
            assert found[0].data == found[1].data
        assert site.client.get(path + "secret", headers=headers(site, "reader")).status_code != 401


class _Body:
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


@pytest.mark.parametrize("caller", ["stranger", "foreign", "reader", "revoked"])
def test_permission_is_checked_before_the_body_is_read(site: Site, caller: str) -> None:
    environment = {"wsgi.input": _Body(), "CONTENT_LENGTH": "100000"}
    for path, method in (
        ("/projects/secret/documents", "POST"),
        ("/projects/open/documents/run", "PUT"),
        ("/projects", "POST"),
    ):
        for kind in (PROVN_TYPE, "application/json", "application/x-nothing"):
            answer = site.client.open(
                path,
                method=method,
                headers=headers(site, caller),
                environ_overrides={**environment, "CONTENT_TYPE": kind, "HTTP_CONTENT_ENCODING": "gzip"},
            )
            assert answer.status_code in (401, 403, 404), (path, kind)


# The table itself


def application(site: Site) -> Flask:
    return create_app(site.store)


def test_a_route_without_a_row_fails(site: Site) -> None:
    app = application(site)
    app.add_url_rule("/new", "new", lambda: "made", methods=["GET"])
    with pytest.raises(LookupError, match=r"GET /new: the table of routes has no row \('new', 'GET'\)"):
        admission.check(app)
    answer = app.test_client().get("/new")
    assert answer.status_code == 500, "and it is not answered either"
    assert b"made" not in answer.data
    with pytest.raises(KeyError):
        describe(app)


def test_a_method_without_a_row_fails(site: Site) -> None:
    app = application(site)
    app.add_url_rule("/projects", "projects.index", methods=["PATCH"])
    with pytest.raises(LookupError, match=r"PATCH /projects"):
        admission.check(app)


def test_a_row_without_a_route_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, ("gone", "GET"), OPERATIONS["health.ready", "GET"])
    with pytest.raises(LookupError, match="without a route"):
        create_app(site.store)


@pytest.mark.parametrize("permission", [Permission.NOTHING, Permission.CALLER, Permission.ADMINISTER])
def test_a_route_of_a_project_needs_a_permission_on_it(
    site: Site, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = OPERATIONS["projects.one", "GET"]
    monkeypatch.setitem(
        OPERATIONS, ("projects.one", "GET"), replace(row, access=row.access._replace(permission=permission))
    )
    with pytest.raises(LookupError, match="must need a permission on the project"):
        create_app(site.store)


def test_writes_need_a_token(site: Site) -> None:
    """Except for reads by POST, and requests that need no permission."""
    open_ = {key for key, row in OPERATIONS.items() if key[1] != "GET" and row.access.permission not in WRITING}
    assert open_ == {
        ("validate.validate", "POST"),
        ("gate.gate", "POST"),
        ("sparql.endpoint", "POST"),
        ("sparql.public", "POST"),
        ("lineage.surroundings", "POST"),
        ("sparql.one_version", "POST"),
        ("pingback.received", "POST"),
        ("pingback.received_for_version", "POST"),
        ("inbox.receive", "POST"),
        ("feed.blobs", "POST"),
        ("sessions.begin", "POST"),
        ("submitting.check", "POST"),
        ("recording.check", "POST"),
        ("submitting.check", "POST"),
        ("recording.check", "POST"),
        ("sessions.end", "DELETE"),
        ("canceling.cancel", "DELETE"),
        ("sessions.end_by_form", "POST"),
        ("joining.follow", "POST"),
    }


WRITING = frozenset(NEEDED) - {Permission.READ} | {Permission.SIGNED_IN}


def test_the_description_has_permissions_and_limits(site: Site) -> None:
    for path, methods in describe(site.app)["paths"].items():
        for method, operation in methods.items():
            row = next(row for rule, m, row in routes(site.app) if m == method.upper() and _path(rule) == path)
            statuses = set(operation["responses"])
            assert row.access.permission in operation["description"]
            assert ("429" in statuses) == (row.access.rate is not Rate.FREE), path
            assert ("401" in statuses) == (row.access.permission is not Permission.NOTHING), path
            if row.access.permission in WRITING:
                assert operation["security"] == [{"token": []}]
                assert "403" in statuses
            if "429" in statuses:
                assert "Retry-After" in operation["responses"]["429"]["headers"]


def _path(rule: str) -> str:
    return re.sub(r"<(?:[^:>]*:)?([^>]*)>", r"{\1}", rule)
