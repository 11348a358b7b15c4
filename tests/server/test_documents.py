"""Documents over HTTP: submission, representations, versions, replacement and withdrawal."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import pytest

import provrepo
from provrepo.codecs.formats import WRITABLE
from tests.support.round_trip import BOTH_WAYS
from tests.support.serving import BROWSER, LATER, PROVN, PROVN_TYPE, Site, opened, sha256


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def post(site: Site, query: str, data: bytes = PROVN, *, who: str = "all", type_: str | None = PROVN_TYPE):
    return site.client.post(f"/projects/open/documents{query}", data=data, headers=site.auth(who), content_type=type_)


# Submitting


def test_a_submission_is_created_and_can_be_fetched_where_location_says(site: Site) -> None:
    answer = post(site, "?name=fresh&note=first+harvest")
    receipt = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/projects/open/documents/fresh"
    assert answer.headers["ETag"] == f'"{sha256(PROVN)}"'
    assert receipt["created"] is True
    assert receipt["indexed"] is True
    assert (receipt["name"], receipt["version"], receipt["sha256"]) == ("fresh", 1, sha256(PROVN))
    assert (receipt["submitter"], receipt["note"], receipt["format"]) == ("ada", "first harvest", "provn")
    assert receipt["report"]["verdict"] == receipt["verdict"] == "conforms"
    assert site.client.get(answer.headers["Location"] + "/original").data == PROVN


def test_submitting_the_same_bytes_again_returns_the_same_version(site: Site) -> None:
    assert post(site, "?name=again").status_code == 201
    answer = post(site, "?name=again")
    assert answer.status_code == 200
    assert answer.get_json()["created"] is False
    assert answer.get_json()["version"] == 1


def test_a_name_taken_by_other_bytes_is_a_conflict(site: Site) -> None:
    assert post(site, "?name=taken").status_code == 201
    answer = post(site, "?name=taken", LATER)
    assert answer.status_code == 409
    assert answer.get_json()["type"].endswith("#conflict")
    assert len(site.client.get("/projects/open/documents/taken/versions").get_json()["versions"]) == 1


def test_without_a_name_the_digest_names_the_document(site: Site) -> None:
    data = PROVN.replace(b"2025-03-01T10:00", b"2025-02-01T10:00")
    answer = post(site, "", data)
    assert answer.status_code == 201
    assert answer.get_json()["name"] == f"sha256-{sha256(data)[:16]}"


@pytest.mark.parametrize("type_", [None, "application/octet-stream", "text/plain; charset=utf-8"])
def test_the_format_is_detected_if_the_media_type_is_unspecific(site: Site, type_: str | None) -> None:
    answer = post(site, "?name=detected", type_=type_)
    assert answer.status_code in (200, 201)
    assert answer.get_json()["format"] == "provn"


def test_json_ld_without_a_profile_is_detected_by_its_content(site: Site) -> None:
    document = provrepo.read(PROVN)
    for name in ("provjsonld", "rdfjsonld"):
        answer = post(site, f"?name=linked-{name}", document.write(name), type_="application/ld+json")
        assert answer.status_code == 201, answer.data
        assert answer.get_json()["format"] == name


def test_every_format_can_be_submitted_under_its_media_type(site: Site) -> None:
    document = provrepo.read(PROVN)
    for format_ in BOTH_WAYS:
        answer = post(site, f"?name=as-{format_.name}", document.write(format_.name), type_=format_.media_type)
        assert answer.status_code == 201, (format_.name, answer.data)
        assert answer.get_json()["format"] == format_.name


def test_relative_iris_are_resolved_against_the_base(site: Site) -> None:
    data = b"@prefix prov: <http://www.w3.org/ns/prov#> . <table> a prov:Entity ."
    assert post(site, "?name=relative", data, type_="text/turtle").status_code == 400
    answer = post(site, "?name=relative&base=https://lab.example/", data, type_="text/turtle")
    assert answer.status_code == 201
    assert answer.get_json()["base"] == "https://lab.example/"
    assert b"https://lab.example/table" in site.client.get("/projects/open/documents/relative.nt").data


def test_a_violated_profile_refuses_with_the_report_and_stores_nothing(site: Site) -> None:
    answer = post(
        site,
        "?name=poor&profile=core",
        b"@prefix prov: <http://www.w3.org/ns/prov#> . @prefix ex: <https://example.org/> .\n"
        b"ex:a a prov:Activity ; prov:used ex:nothing .",
        type_="text/turtle",
    )
    problem = answer.get_json()
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert problem["report"]["verdict"] == "fails"
    assert problem["report"]["counts"]["violation"] > 0
    assert site.client.get("/projects/open/documents/poor").status_code == 404


# Reading


@pytest.mark.parametrize("format_", WRITABLE, ids=lambda f: f.name)
def test_each_format_by_suffix_by_parameter_and_by_accept(site: Site, format_) -> None:
    where = "/projects/open/documents/run"
    answers = [
        site.client.get(where + format_.suffixes[0]),
        site.client.get(f"{where}?format={format_.name}"),
        site.client.get(where, headers={"Accept": format_.media_type}),
        site.client.get(f"{where}/versions/1{format_.suffixes[0]}", headers={"Accept": "image/png"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.data for answer in answers}) == 1
    for answer in answers:
        assert answer.headers["Content-Type"].startswith(format_.media_type)
        assert "Accept" in answer.headers["Vary"]
    if format_.reads:
        assert provrepo.compare(provrepo.read(answers[0].data, format=format_.name), provrepo.read(PROVN)).same


def test_a_picture_is_an_attachment_under_the_strict_policy_and_cannot_be_submitted(site: Site) -> None:
    answer = site.client.get("/projects/open/documents/run.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="run.svg"'
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b"harvest &lt;b&gt;2025&lt;/b&gt;" in answer.data
    sent = post(site, "?name=picture", answer.data, type_="image/svg+xml")
    assert sent.status_code == 415
    assert "svg" not in sent.get_json()["detail"].partition("; send one of")[2]
    sniffed = post(site, "?name=picture", answer.data, type_=None)
    assert sniffed.status_code == 400
    assert "picture" in sniffed.get_json()["detail"]


def test_json_for_programs_and_a_page_for_browsers(site: Site) -> None:
    assert site.client.get("/projects/open/documents/run").mimetype == "application/json"
    assert site.client.get("/projects/open/documents/run", headers={"Accept": "*/*"}).mimetype == "application/json"
    assert site.client.get("/projects/open/documents/run", headers={"Accept": BROWSER}).mimetype == "text/html"
    assert site.client.get("/projects/open/documents/run.html").mimetype == "text/html"


def test_406_lists_the_available_representations(site: Site) -> None:
    for answer in (
        site.client.get("/projects/open/documents/run", headers={"Accept": "image/png"}),
        site.client.get("/projects/open/documents/run?format=pdf"),
    ):
        problem = answer.get_json()
        assert answer.status_code == 406
        assert [offer["format"] for offer in problem["available"]] == [f.name for f in WRITABLE] + ["html"]
        assert "turtle" in problem["detail"]


def test_each_representation_has_its_own_tag(site: Site) -> None:
    where = "/projects/open/documents/run"
    tags = {site.client.get(where + f.suffixes[0]).headers["ETag"] for f in WRITABLE}
    assert len(tags) == len(WRITABLE)
    assert not any(tag.startswith("W/") for tag in tags)
    turtle = site.client.get(f"{where}.ttl").headers["ETag"]
    same = site.client.get(f"{where}.ttl", headers={"If-None-Match": turtle})
    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == turtle
    assert "Accept" in same.headers["Vary"]
    assert site.client.get(f"{where}.nt", headers={"If-None-Match": turtle}).status_code == 200
    assert site.client.get(f"{where}.ttl", headers={"If-None-Match": '"other", W/' + turtle}).status_code == 304
    page = site.client.get(where, headers={"Accept": BROWSER})
    again = site.client.get(where, headers={"Accept": BROWSER, "If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


def test_head_is_get_without_the_body(site: Site) -> None:
    for path in ("/projects/open/documents/run.ttl", "/projects/open/documents/run/original", "/projects/open"):
        head, get = site.client.head(path), site.client.get(path)
        assert head.status_code == 200
        assert head.data == b""
        for name in ("Content-Type", "ETag", "Content-Length", "Link"):
            assert head.headers.get(name) == get.headers.get(name)


def links(header: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for target, relation in re.findall(r'<([^>]*)>; rel="([^"]*)"', header):
        found.setdefault(relation, []).append(target)
    return found


def test_links_lead_to_formats_versions_metadata_and_original(site: Site) -> None:
    found = links(site.client.get("/projects/open/documents/twice.ttl").headers["Link"])
    assert set(found) == {
        "alternate",
        "latest-version",
        "version-history",
        "predecessor-version",
        "describedby",
        "original",
        *("linkset", "cite-as", "type", "author", "item"),
        "http://www.w3.org/ns/ldp#inbox",
        *(f"http://www.w3.org/ns/prov#has_{name}" for name in ("provenance", "anchor", "query_service")),
        "http://www.w3.org/ns/prov#pingback",
    }
    formats = [target.rpartition("/versions/2.")[2] for target in found["alternate"]]
    assert formats == [row.suffixes[0][1:] for row in WRITABLE][: len(formats)]
    assert len(formats) >= 8
    here = [target for targets in found.values() for target in targets if target.startswith("/")]
    assert len(here) >= 20
    for target in here:
        if target.endswith("/pingback"):
            continue  # takes POST only
        assert site.client.get(target).status_code == 200, target
    assert "predecessor-version" not in links(site.client.get("/projects/open/documents/run").headers["Link"])


def test_the_original_is_an_attachment_with_its_digest(site: Site) -> None:
    answer = site.client.get("/projects/open/documents/run/original")
    digest = base64.b64encode(bytes.fromhex(sha256(PROVN))).decode()
    assert answer.data == PROVN
    assert answer.mimetype == PROVN_TYPE
    assert answer.headers["Content-Disposition"] == 'attachment; filename="run.provn"'
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["Digest"] == f"sha-256={digest}"
    assert answer.headers["ETag"] == f'"{sha256(PROVN)}"'


def test_versions_do_not_change(site: Site) -> None:
    where = "/projects/open/documents/twice"
    history = site.client.get(f"{where}/versions").get_json()["versions"]
    assert [(info["version"], info["state"], info["sha256"]) for info in history] == [
        (1, "superseded", sha256(PROVN)),
        (2, "current", sha256(LATER)),
    ]
    assert site.client.get(f"{where}/versions/1/original").data == PROVN
    assert site.client.get(f"{where}/versions/2/original").data == LATER
    first = site.client.get(f"{where}/versions/1.json")
    assert first.headers["Cache-Control"] == "no-cache", "a version may be withdrawn: caches revalidate"
    mine = site.client.get(f"{where}/versions/1.json", headers=site.auth("all"))
    assert mine.headers["Cache-Control"].startswith("private,")
    assert site.client.get(f"{where}.json").headers["Cache-Control"] == "no-cache"
    assert site.client.get(f"{where}/versions/1/metadata").get_json()["sha256"] == sha256(PROVN)
    assert site.client.get(f"{where}/versions/1/report").get_json()["verdict"] == "conforms"


@pytest.mark.parametrize("number", ["0", "3", "-1", "1e1", "٢", "9" * 30, "x", "1 OR 1"])
def test_versions_that_do_not_exist(site: Site, number: str) -> None:
    answer = site.client.get(f"/projects/open/documents/twice/versions/{number}")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_metadata_and_report(site: Site) -> None:
    metadata = site.client.get("/projects/open/documents/run/metadata").get_json()
    assert metadata["sha256"] == sha256(PROVN)
    assert metadata["statements"] == 7
    report = site.client.get("/projects/open/documents/run/report")
    assert report.get_json()["conforms"] is True
    page = site.client.get("/projects/open/documents/run/report", headers={"Accept": BROWSER})
    assert page.mimetype == "text/html"
    assert b"Conforms" in page.data
    turtle = site.client.get("/projects/open/documents/run/report", headers={"Accept": "text/turtle"})
    assert "http://www.w3.org/ns/shacl#" in turtle.text
    assert turtle.headers["Content-Type"] == "text/turtle; charset=utf-8"
    for format_, start in (("text", "urn:uuid:"), ("sarif", "{"), ("junit", "<?xml")):
        answer = site.client.get(f"/projects/open/documents/run/report?format={format_}")
        assert answer.status_code == 200
        assert answer.text.startswith(start)


# Replacing and withdrawing


def put(site: Site, name: str, data: bytes, **headers: str):
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return site.client.put(
        f"/projects/open/documents/{name}", data=data, headers={**site.auth("all"), **named}, content_type=PROVN_TYPE
    )


def test_replacing_needs_the_current_tag(site: Site) -> None:
    where = site.submit("moving")
    assert put(site, "moving", LATER).status_code == 428
    assert put(site, "moving", LATER, If_Match=f'"{"0" * 64}"').status_code == 412
    assert put(site, "moving", LATER, If_Match='"nonsense"').status_code == 412
    assert put(site, "moving", LATER, If_Match=f'W/"{sha256(PROVN)}"').status_code in (412, 428)
    answer = put(site, "moving", LATER, If_Match=f'"{sha256(PROVN)}"')
    assert answer.status_code == 200
    assert answer.get_json()["version"] == 2
    assert answer.headers["ETag"] == f'"{sha256(LATER)}"'
    assert put(site, "moving", PROVN, If_Match=f'"{sha256(PROVN)}"').status_code == 412
    assert site.client.get(f"{where}/original").data == LATER


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ('""', {412}),
        ('W/""', {412}),
        ('"a", ""', {412}),
        ('"6E", W/"INF", ""', {412}),
        ('*, "a"', {412}),
        ('"é"', {412}),
        ("", {400}),
        (",", {400}),
        ('"unclosed', {400}),
        ("no quotes", {400, 412}),
        ('W/"', {400, 412}),
    ],
)
def test_an_invalid_precondition_changes_nothing(site: Site, value: str, statuses: set[int]) -> None:
    """Empty tags are valid (RFC 9110, section 8.8.3); a value that is not a list of tags is refused, not ignored."""
    where = site.submit("conditional")
    headers = {**site.auth("all"), "If-Match": value}
    answers = [
        site.client.put(where, data=LATER, content_type=PROVN_TYPE, headers=headers),
        site.client.delete(where, headers=headers),
    ]
    assert {answer.status_code for answer in answers} <= statuses
    assert site.client.get(f"{where}/original").data == PROVN


def test_a_failed_precondition_on_reading_is_a_problem(site: Site) -> None:
    for path in ("/projects/open", "/health", "/queries", "/static/style.css"):
        answer = site.client.get(path, headers={"If-Match": '"other"'})
        assert (answer.status_code, answer.mimetype) == (412, "application/problem+json"), path


def test_the_tag_of_any_representation_works_in_if_match(site: Site) -> None:
    where = site.submit("tagged")
    tag = site.client.get(f"{where}.ttl").headers["ETag"]
    assert put(site, "tagged", LATER, If_Match=tag).status_code == 200
    current = site.client.get(f"{where}.jsonld").headers["ETag"]
    assert put(site, "tagged", PROVN, If_Match=f"{tag}, {current}").status_code == 200


def test_putting_the_current_bytes_changes_nothing(site: Site) -> None:
    site.submit("same")
    answer = put(site, "same", PROVN, If_Match="*")
    assert (answer.status_code, answer.get_json()["created"]) == (200, False)


def test_creating_with_put(site: Site) -> None:
    assert put(site, "brand-new", PROVN, If_Match="*").status_code == 412
    answer = put(site, "brand-new", PROVN, If_None_Match="*")
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/projects/open/documents/brand-new"
    assert put(site, "brand-new", LATER, If_None_Match="*").status_code == 412


def test_withdrawing_leaves_a_tombstone_and_the_history(site: Site) -> None:
    where = site.submit("leaving")
    assert site.client.delete(where, headers={**site.auth("all"), "If-Match": f'"{"0" * 64}"'}).status_code == 412
    answer = site.client.delete(f"{where}?reason=wrong+plot", headers=site.auth("all"))
    assert answer.status_code == 200
    assert answer.get_json()["withdrawn"] is True
    for path in (where, f"{where}.ttl", f"{where}/original", f"{where}/metadata", f"{where}/report"):
        tombstone = site.client.get(path)
        assert tombstone.status_code == 410, path
        assert tombstone.get_json()["reason"] == "wrong plot"
        assert tombstone.get_json()["withdrawn_at"].endswith("Z")
    assert site.client.get(f"{where}/versions").get_json()["versions"][0]["state"] == "withdrawn"
    assert site.client.delete(f"{where}?reason=again", headers=site.auth("all")).status_code == 410
    names = [d["name"] for d in site.client.get("/projects/open/documents?limit=1000").get_json()["documents"]]
    assert "leaving" not in names
    again = post(site, "?name=leaving", LATER)
    assert (again.status_code, again.get_json()["version"]) == (201, 2)
    assert site.client.get(where).status_code == 200


# Lists


def test_lists_are_paged_by_link(site: Site) -> None:
    for number in range(5):
        site.submit(f"page-{number}")
    names: list[str] = []
    path = "/projects/open/documents?limit=2"
    while path:
        answer = site.client.get(path)
        found = [document["name"] for document in answer.get_json()["documents"]]
        assert 1 <= len(found) <= 2
        names += found
        path = (links(answer.headers.get("Link", "")).get("next") or [""])[0]
    assert names == sorted(set(names))
    assert {f"page-{number}" for number in range(5)} | {"run", "twice"} <= set(names)
    assert "gone" not in names
    everything = site.client.get("/projects/open/documents?limit=1000&withdrawn=true").get_json()["documents"]
    assert any(document["name"] == "gone" and document["withdrawn"] for document in everything)


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_the_next_page_is_always_within_the_site(site: Site, accept: str) -> None:
    site.submit("page-a")
    path = "/projects/open/documents?limit=1"
    for hostile in ("_external=1", "_scheme=javascript", "_anchor=x", "endpoint=y"):
        assert site.client.get(f"{path}&{hostile}", headers={"Accept": accept}).status_code == 400
    answer = site.client.get(path, headers={"Accept": accept, "Host": "evil.example"})
    assert answer.status_code == 200
    assert "evil.example" not in answer.text + answer.headers.get("Link", "")
    assert "/projects/open/documents?" in answer.text + answer.headers.get("Link", "")


def test_projects_are_listed_for_callers_who_may_read_them(site: Site) -> None:
    def seen(who: str) -> list[str]:
        answer = site.client.get("/projects", headers=site.auth(who))
        return [project["name"] for project in answer.get_json()["projects"]]

    assert "secret" not in seen("")
    assert "secret" not in seen("open")
    assert {"open", "secret"} <= set(seen("all"))
    assert {"open", "secret"} <= set(seen("reader"))
    first = site.client.get("/projects?limit=1", headers=site.auth("all"))
    assert links(first.headers["Link"])["next"]


def test_projects_are_created_with_tokens_for_all_projects(site: Site) -> None:
    wish = {"name": "made", "public": True, "title": "Made here"}
    assert site.client.post("/projects", json=wish).status_code == 401
    assert site.client.post("/projects", json=wish, headers=site.auth("open")).status_code == 403
    assert site.client.post("/projects", json=wish, headers=site.auth("reader")).status_code == 403
    answer = site.client.post("/projects", json=wish, headers=site.auth("all"))
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/projects/made"
    assert site.client.get("/projects/made").get_json()["title"] == "Made here"
    assert site.client.post("/projects", json=wish, headers=site.auth("all")).status_code == 409
    answer = site.client.post("/projects", json={"name": "hidden"}, headers=site.auth("all"))
    assert answer.get_json()["public"] is False


# Checking


def test_validation_stores_nothing(site: Site) -> None:
    before = site.store.health()["entries"]
    answer = site.client.post("/validate", data=PROVN, content_type=PROVN_TYPE)
    assert answer.status_code == 200
    assert answer.get_json()["conforms"] is True
    failing = site.client.post(
        "/validate?profile=core",
        data=b"@prefix prov: <http://www.w3.org/ns/prov#> . <https://example.org/a> a prov:Activity .",
        content_type="text/turtle",
    )
    assert failing.status_code == 200
    assert failing.get_json()["verdict"] == "fails"
    assert site.store.health()["entries"] == before
