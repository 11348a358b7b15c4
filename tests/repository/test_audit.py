"""The access log of requests, and the verb ``audit``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Denied, NotFound, UsageError
from provrepo.ledger.access_log import AccessLog
from provrepo.repository import audit as repository_audit
from provrepo.repository.actions import Action
from provrepo.repository.audit import _access, _cell
from provrepo.repository.repository import Repository
from provrepo.server.app import create_app
from provrepo.server.protocol import codings
from provrepo.server.routing.routes import OPERATIONS
from tests.support.command import provrepo
from tests.support.sampling import examples
from tests.support.serving import PROVN, PROVN_TYPE, Made, Site, copied, made, opened

RUN = "/projects/secret/documents/run"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return made(tmp_path_factory.mktemp("made") / "data")


@pytest.fixture
def site(source: Made, tmp_path: Path) -> Iterator[Site]:
    """Its access log is empty."""
    with copied(source, tmp_path / "data") as site:
        yield site


def lines(site: Site) -> list[dict[str, Any]]:
    found = [line for _, line in site.store.access_log.lines() if line is not None]
    return sorted(found, key=lambda line: line["time"])


def audit(site: Site, project: str = "secret", **asked: Any) -> dict[str, Any]:
    answer = site.client.get(f"/projects/{project}/audit", query_string=asked, headers=site.auth("all"))
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def told(found: dict[str, Any]) -> list[tuple[str, str, Any, str]]:
    return [(event["action"], event["document"], event["version"], event["name"]) for event in found["events"]]


# The access log


def test_a_line_has_who_what_when_and_the_answer(site: Site) -> None:
    answer = site.client.get(f"{RUN}/versions/1.ttl?format=turtle", headers=site.auth("reader"))
    [line] = lines(site)
    reader = next(token for token in site.owner.tokens() if token.name == "eve")
    assert answer.status_code == 200
    assert {**line, "time": ""} == {
        "time": "",
        "request": answer.headers["X-Request-Id"],
        "actor": reader.actor,
        "token": reader.id,
        "method": "GET",
        "route": "/projects/<project>/documents/<document>/versions/<version>",
        "action": "read",
        "projects": ["secret"],
        "document": "run",
        "version": 1,
        "status": 200,
        "bytes": len(answer.data),
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (RUN, ("read", ["secret"], "run", 1)),
        (f"{RUN}.json", ("read", ["secret"], "run", 1)),
        (f"{RUN}/original", ("read", ["secret"], "run", 1)),
        (f"{RUN}/report", ("read", ["secret"], "run", 1)),
        (f"{RUN}/metadata", ("read", ["secret"], "run", 1)),
        (f"{RUN}/versions", ("read", ["secret"], "run", None)),
        (f"{RUN}/versions/1/sparql?query=ASK%7B%7D", ("query", ["secret"], "run", 1)),
        ("/projects/secret", ("list", ["secret"], "", None)),
        ("/projects/secret/ledger", ("list", ["secret"], "", None)),
        ("/projects/secret/sparql?query=ASK%7B%7D", ("query", ["secret"], "", None)),
        ("/projects/secret/graphs?default", ("query", ["secret"], "", None)),
        ("/sparql?query=ASK%7B%7D", ("query", ["*public"], "", None)),
        ("/sparql?query=ASK%7B%7D&project=secret", ("query", ["secret"], "", None)),
        ("/lineage?iri=https://example.org/table", ("lineage", ["open", "secret"], "", None)),
        ("/lineage?iri=https://example.org/table&project=open", ("lineage", ["open"], "", None)),
        ("/lineage/impact?iri=https://example.org/raw", ("lineage", ["open", "secret"], "", None)),
        (
            "/lineage/common?iri=https://example.org/table&iri=https://example.org/run",
            ("lineage", ["open", "secret"], "", None),
        ),
        ("/thing?iri=https://example.org/table", ("lineage", ["open", "secret"], "", None)),
        ("/search?q=harvest", ("search", ["open", "secret"], "", None)),
        ("/projects", ("list", [], "", None)),
    ],
)
def test_what_was_read_is_named(site: Site, path: str, expected: tuple[Any, ...]) -> None:
    assert site.client.get(path, headers=site.auth("all")).status_code == 200
    [line] = lines(site)
    assert (line["action"], line["projects"], line["document"], line["version"]) == expected


def test_no_token_query_body_or_address_is_written(site: Site) -> None:
    secret = site.tokens["all"]
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"{RUN}?format=SECRETWORD", {}),
        ("GET", "/projects/secret/sparql?query=SECRETWORD", {}),
        ("POST", "/projects/secret/sparql", {"data": "SECRETWORD", "content_type": "application/sparql-query"}),
        ("POST", "/projects/secret/documents?note=SECRETWORD", {"data": b"SECRETWORD", "content_type": PROVN_TYPE}),
        ("GET", "/projects/SECRETWORD%20x/documents/SECRETWORD%0Ay", {}),
        ("GET", "/search?q=SECRETWORD", {"headers": {"Referer": "SECRETWORD", "User-Agent": "SECRETWORD"}}),
        ("GET", RUN, {"headers": {"X-Request-Id": "SECRETWORD SECRETWORD"}}),
        ("GET", RUN, {"headers": {"Authorization": "Bearer SECRETWORD"}}),
    ]
    for method, path, extra in requests:
        headers = {**site.auth("all"), **extra.pop("headers", {})}
        site.client.open(path, method=method, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.77"}, **extra)
    assert len(lines(site)) == len(requests)
    written = b"".join(path.read_bytes() for path in (site.store.settings.data / "access").iterdir())
    for forbidden in (b"SECRETWORD", secret.encode(), secret.split("_", 2)[2].encode(), b"192.0.2"):
        assert forbidden not in written


def test_routes_without_an_action_are_not_written(site: Site) -> None:
    for path in ("/health", "/ready", "/metrics", "/openapi.json", "/static/style.css", "/nothing/here"):
        site.client.get(path)
    site.client.options(RUN)
    assert lines(site) == []
    silent = {endpoint for (endpoint, _), row in OPERATIONS.items() if row.access.action is None}
    assert silent == {
        *(
            "creating.form",
            "health.health",
            "health.ready",
            "metrics.every",
            "openapi.own",
            "provaq.service",
            "queries.index",
            "static",
        ),
        *("profiles.index", "linksets.api_catalog", "sitemaps.robots", "sitemaps.sitemap"),
        *("vocabularies.ontology", "vocabularies.shapes", "vendor.editor", "vendor.licenses", "canceling.cancel"),
        *(
            "sessions.who",
            "sessions.begin",
            "sessions.end",
            "sessions.end_by_form",
            "joining.one",
            "own_sessions.listed",
            "tokens.listed",
            "recording.form",
            "submitting.form",
        ),
    }


def test_a_long_answer_is_counted_as_it_is_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codings, "_BUFFERED", 20_000)
    entities = "".join(f"  entity(ex:e{number}, [ex:n='ex:{number * 7919}'])\n" for number in range(1000))
    large = f"document\n  prefix ex <https://example.org/>\n{entities}endDocument\n".encode()
    path = site.submit("large", large)
    answer = site.client.get(f"{path}.nq", headers={"Accept-Encoding": "gzip"})
    assert "Content-Length" not in answer.headers
    size = len(answer.data)
    answer.close()
    assert [line["bytes"] for line in lines(site)] == [size]
    assert size > 1000


def test_head_and_304_have_no_bytes(site: Site) -> None:
    tag = site.client.get(RUN, headers=site.auth("all")).headers["ETag"]
    site.client.get(RUN, headers={**site.auth("all"), "If-None-Match": tag})
    site.client.head(RUN, headers=site.auth("all"))
    assert [(line["method"], line["status"], line["bytes"] > 0) for line in lines(site)] == [
        ("GET", 200, True),
        ("GET", 304, False),
        ("HEAD", 200, False),
    ]


def test_networks_of_strangers_are_written_where_the_settings_say_so(site: Site) -> None:
    site.store.settings = replace(site.store.settings, audit_networks="on")
    client = create_app(site.store).test_client()
    path = "/projects/open/documents/run"
    for address in ("192.0.2.77", "2001:db8:1:2::3", "unix"):
        client.get(path, environ_base={"REMOTE_ADDR": address})
    client.get(path, headers=site.auth("all"), environ_base={"REMOTE_ADDR": "192.0.2.77"})
    assert [line.get("network") for line in lines(site)] == ["192.0.2.0/24", "2001:db8:1::/48", None, None]


def test_a_log_that_cannot_be_written_fails_no_request(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.store.settings.data / "access").write_text("in the way")
    assert site.client.get(RUN, headers=site.auth("all")).status_code == 200
    assert site.store.access_log.lost == 1


def test_nothing_is_written_where_it_is_turned_off(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as site:
        site.store.settings = replace(site.store.settings, audit_days=0)
        create_app(site.store).test_client().get("/projects/open/documents/run")
        assert not (tmp_path / "data" / "access").exists()


# The audit


def test_who_changed_and_who_read_a_document(site: Site) -> None:
    client = site.client
    client.get(RUN, headers=site.auth("reader"))
    changed = client.put(
        RUN, data=PROVN + b"\n", content_type=PROVN_TYPE, headers={**site.auth("all"), "If-Match": "*"}
    )
    assert changed.status_code == 200
    client.get(f"{RUN}/original", headers=site.auth("reader"))
    client.get("/projects/secret/sparql?query=ASK%7B%7D", headers=site.auth("reader"))
    client.get("/lineage?iri=https://example.org/table", headers=site.auth("reader"))
    client.get("/projects/open/documents/run", headers=site.auth("reader"))
    client.delete(RUN, headers=site.auth("all"))
    found = audit(site, document="run")
    owner = site.owner.actor.name
    assert told(found) == [
        ("submit", "run", 1, owner),
        ("read", "run", 1, "eve"),
        ("submit", "run", 2, "ada"),
        ("read", "run", 2, "eve"),
        ("withdraw", "run", 2, "ada"),
    ]
    assert found["counts"] == {"lineage": 1, "query": 1, "read": 2, "submit": 2, "withdraw": 1}
    assert {event["action"] for event in audit(site)["events"]} >= {"settings", "query", "lineage", "audit"}


def test_who_is_shown_it(site: Site) -> None:
    for path in ("/projects/secret/audit", "/projects/missing/audit"):
        assert site.client.get(path).status_code == 404
        assert site.client.get(path, headers=site.auth("open")).status_code == 404
    assert site.client.get("/projects/open/audit").status_code == 401
    assert site.client.get("/projects/open/audit", headers=site.auth("reader")).status_code == 403
    answer = site.client.get("/projects/open/audit", headers=site.auth("open"))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    reader = Repository(site.store, site.store.authenticate(site.tokens["reader"]) or site.store.anonymous())
    with pytest.raises(Denied):
        reader.audit("open")
    with pytest.raises(NotFound):
        Repository(site.store, site.store.anonymous()).audit("secret")
    writer = Repository(site.store, site.store.authenticate(site.tokens["all"]) or site.store.anonymous())
    with pytest.raises(Denied):
        writer.audit()


def test_writers_of_one_project_learn_nothing_of_another(site: Site) -> None:
    site.client.get("/lineage?iri=https://example.org/table", headers=site.auth("all"))
    site.client.get(RUN, headers=site.auth("all"))
    answer = site.client.get("/projects/open/audit", headers=site.auth("open"))
    assert "lineage" in answer.get_json()["counts"]
    assert "secret" not in answer.text


def test_a_parameter_that_a_route_does_not_have_names_no_project(site: Site) -> None:
    site.client.get("/sparql?query=ASK%7B%7D&project=secret")
    assert "query" not in audit(site)["counts"]


def test_what_was_refused(site: Site) -> None:
    site.client.get(RUN)
    site.client.get(RUN, headers=site.auth("open"))
    site.client.delete("/projects/open/documents/run", headers=site.auth("reader"))
    assert [event["status"] for event in audit(site, refused="true")["events"]] == [404, 404]
    found = audit(site, "open", refused="true")
    assert [(event["action"], event["status"], event["name"]) for event in found["events"]] == [
        ("withdraw", 403, "eve")
    ]
    assert "withdraw" not in audit(site, "open", document="run")["counts"]


def test_filters(site: Site) -> None:
    for who in ("reader", "all", "all"):
        site.client.get(RUN, headers=site.auth(who))
    eve = next(token for token in site.owner.tokens() if token.name == "eve")
    for by in ("eve", eve.id, eve.actor):
        assert told(audit(site, by=by)) == [("read", "run", 1, "eve")]
    assert [name for *_, name in told(audit(site, action="read"))] == ["eve", "ada", "ada"]
    everything = audit(site, action="read")["events"]
    day = everything[0]["time"][:10]
    assert len(audit(site, action="read", since=day, until=day)["events"]) == 3
    assert audit(site, since="2999-01-01")["events"] == []
    assert audit(site, until="1999-01-01")["events"] == []
    after_first = audit(site, action="read", since=everything[1]["time"], until=everything[2]["time"])["events"]
    assert after_first == [
        event for event in everything if everything[1]["time"] <= event["time"] < everything[2]["time"]
    ]
    assert len(audit(site, action="read", since=f"{day}T00:00:00+00:00")["events"]) == 3


@pytest.mark.parametrize("asked", ["since=soon", "until=2026-02-30", "action=fly", "limit=0", "since=2026-01-01T00:00"])
def test_wrong_filters_are_refused(site: Site, asked: str) -> None:
    answer = site.client.get(f"/projects/open/audit?{asked}", headers=site.auth("all"))
    assert answer.status_code == 400
    assert asked.partition("=")[2][:4] in answer.get_json()["detail"]


def test_an_unknown_document(site: Site) -> None:
    assert site.client.get("/projects/open/audit?document=none", headers=site.auth("all")).status_code == 404
    with pytest.raises(UsageError, match="1,000"):
        site.owner.audit(limit=5000)


def test_pages_have_everything_once(site: Site) -> None:
    for number in range(7):
        site.client.get("/projects/open/documents/run", headers=site.auth("all" if number % 2 else ""))
    whole = audit(site, "open", limit=1000, until="2999-01-01")["events"]
    path = "/projects/open/audit?limit=3&until=2999-01-01"
    seen: list[dict[str, Any]] = []
    while path:
        answer = site.client.get(path, headers=site.auth("all"))
        seen += answer.get_json()["events"]
        link = answer.headers.get("Link", "")
        path = link.partition(">")[0][1:] if 'rel="next"' in link else ""
        if len(seen) > 100:
            break  # the request of each page is recorded, too
    assert seen[: len(whole)] == whole
    assert len({event["id"] for event in seen}) == len(seen)


def test_a_long_log_has_a_deadline(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository_audit, "_BETWEEN", 2)
    site.store.settings = replace(site.store.settings, query_timeout=1e-9)
    answer = site.client.get("/projects/open/audit", headers=site.auth("all"))
    assert answer.status_code == 503
    assert "since=" in answer.get_json()["detail"]
    assert site.owner.audit("open").events, "the owner has none"


def test_csv(site: Site) -> None:
    site.owner.create_token("=cmd|' /C calc'!A0")
    token = site.owner.create_token("=2+3")[0]
    site.client.get("/projects/open/documents/run", headers={"Authorization": f"Bearer {token}"})
    answer = site.client.get("/projects/open/audit", headers={**site.auth("all"), "Accept": "text/csv"})
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[-1]["name"] == "'=2+3"
    assert [_cell(value) for value in (" =1", "\n=1", "\uff1d1", "\u00a0@a", "|x", "%x")] == [
        *("' =1", "'\n=1", "'\uff1d1", "'\u00a0@a", "'|x", "'%x"),
    ]
    assert [_cell(value) for value in ("+1", "-1", "@a", "\tx", "a=1", 5, None)] == [
        *("'+1", "'-1", "'@a", "'\tx", "a=1", 5, None)
    ]
    assert site.client.get("/projects/open/audit?format=ttl", headers=site.auth("all")).status_code == 406


def test_damaged_lines_are_counted(site: Site) -> None:
    site.client.get(RUN, headers=site.auth("all"))
    [file] = (site.store.settings.data / "access").iterdir()
    good = json.loads(file.read_bytes())
    bad = [{**good, "status": "200"}, {**good, "projects": "secret"}, {**good, "actor": None}, {**good, "time": ""}]
    bad.append({**good, "time": "soon"})
    with file.open("ab") as written:
        written.write(b"\nbroken\n" + b"".join(json.dumps(line).encode() + b"\n" for line in bad))
    found = audit(site)
    assert found["counts"]["read"] == 1
    assert found["unreadable"] == 7, "an empty line, one that is no JSON, and members of a wrong type"


@pytest.mark.parametrize("member", ["time", "action", "document", "actor", "token", "method", "route", "request"])
def test_half_a_character_is_damage(site: Site, member: str) -> None:
    """JSON can escape a lone surrogate (RFC 8259, section 8.2), which UTF-8 cannot encode."""
    site.client.get(RUN, headers=site.auth("all"))
    [file] = (site.store.settings.data / "access").iterdir()
    good = json.loads(file.read_bytes())
    bad = [{**good, member: good[member] + "\ud800"}, {**good, "projects": ["secret", "\udfff"]}]
    with file.open("ab") as written:
        written.write(b"".join(json.dumps(line).encode() + b"\n" for line in bad))
    assert audit(site)["unreadable"] == 2
    assert site.client.get("/projects/secret/audit?format=csv", headers=site.auth("all")).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(200), deadline=None)
@given(st.dictionaries(st.sampled_from(["time", "action", "projects", "status", "actor", "document", "x"]), JSON))
def test_any_line_is_an_event_or_damaged(line: dict[str, Any]) -> None:
    found = _access("place", line, "p", {})
    assert found is None or found.key.encode()


def test_the_command_line_answers_the_same(site: Site, tmp_path: Path) -> None:
    site.client.get(RUN, headers=site.auth("reader"))
    data = str(tmp_path / "data")
    shown = provrepo("--data", data, "audit", "secret/run", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert [line.split()[1:3] for line in shown.stdout.decode().splitlines()[1:]] == [
        ["submit", site.owner.actor.name],
        ["read", "eve"],
    ]
    as_json = json.loads(provrepo("--data", data, "audit", "--output", "json", cwd=tmp_path).stdout)
    assert {event["project"] for event in as_json["events"]} == {"", "open", "secret"}
    as_csv = provrepo("--data", data, "audit", "secret", "--output", "csv", "--limit", "1", cwd=tmp_path)
    assert as_csv.stdout.startswith(b"id,time,action,")
    assert b"--after" in as_csv.stderr
    for wrong, code in (("missing", 1), ("secret/missing", 1)):
        failed = provrepo("--data", data, "audit", wrong, cwd=tmp_path)
        assert failed.returncode == code
        assert failed.stderr.startswith(b"error: ")
    assert provrepo("--data", data, "audit", "--since", "soon", cwd=tmp_path).returncode == 2


def test_every_action_is_of_a_route_or_of_the_ledger() -> None:
    used = {row.access.action for row in OPERATIONS.values()}
    assert used - {None} == set(Action) - {Action.ERASE, Action.EXCHANGE}


def test_the_log_of_a_store_follows_its_settings(site: Site) -> None:
    assert isinstance(site.store.access_log, AccessLog)
    assert site.store.access_log._days == site.store.settings.audit_days == 90
