"""Checking, mending, submitting, replacing and withdrawing by forms, as a browser without scripts sends them."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from provrepo.repository.submission import conversion
from tests.server.test_sessions import ELSEWHERE, HERE, form_token, signed_in
from tests.support.serving import LATER, PROVN, Site, opened, sha256

BAD = PROVN.replace(b"  wasAssociatedWith(ex:run, ex:ada, -)\n", b"")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.set_project("open", profiles=["core"])
        yield site


def send(client: FlaskClient, path: str = "/submit", **fields: object) -> TestResponse:
    data = {"form_token": form_token(client), "project": "open", **fields}
    return client.post(path, data=data, headers=HERE)


def shown(page: TestResponse) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_anybody_checks_and_nobody_stores_without_a_token(site: Site) -> None:
    page = site.client.post("/submit", data={"text": BAD.decode()}, headers=HERE)
    assert page.status_code == 200
    assert "Conforms" in page.text
    assert "sign in" in page.text
    assert shown(page) == BAD.decode()
    answer = site.client.post("/projects/open/submit", data={"project": "open", "text": PROVN.decode()}, headers=HERE)
    assert answer.status_code == 401


@pytest.mark.parametrize("sent", ELSEWHERE)
def test_no_other_site_submits(site: Site, sent: dict[str, str]) -> None:
    client = signed_in(site)
    data = {"form_token": form_token(client), "project": "open", "name": "foreign", "text": PROVN.decode()}
    assert client.post("/projects/open/submit", data=data, headers=sent).status_code in (401, 403)
    answer = client.post("/projects/open/documents/run/withdraw", data={**data, "reason": "x"}, headers=sent)
    assert answer.status_code in (401, 403)
    for token in ("", "x", form_token(signed_in(site, "open"))):
        answer = client.post("/projects/open/submit", data={**data, "form_token": token}, headers=HERE)
        assert answer.status_code == 403
    assert "foreign" not in [document.name for document in site.owner.documents("open")]


def test_a_bad_document_is_mended_and_submitted(site: Site) -> None:
    client = signed_in(site)
    page = send(client, name="mended", text=BAD.decode())
    assert "✕ Does not conform" in page.text
    line = BAD.decode().splitlines().index("  activity(ex:run, 2025-03-01T10:00:00Z, 2025-03-01T10:05:00Z)") + 1
    assert f'<a href="#L{line}" data-line="{line}">line {line}</a>' in page.text
    assert f'<li id="L{line}" class="violation"><a href="#f0"' in page.text
    assert 'value="store" disabled' in page.text
    assert send(client, "/projects/open/submit", name="mended", text=BAD.decode()).status_code == 422
    repair = re.search('name="repair" value="([^"]+)" title="([^"]+)">([^<]+)<', page.text)
    assert repair
    assert repair.groups() == ("wasAssociatedWith(ex:run, ex:ada)",) * 2 + ("Add: ex:ada is responsible",)
    page = send(client, name="mended", text=BAD.decode(), repair=repair[1])
    assert "✓ Conforms" in page.text
    assert "Ready." in page.text
    stored = send(
        client, "/projects/open/submit", name="mended", text=shown(page).replace("\n", "\r\n"), note="by hand"
    )
    assert (stored.status_code, stored.headers["Location"]) == (303, "/projects/open/documents/mended")
    info = site.owner.version("open", "mended")
    assert info.sha256 == sha256(shown(page).encode())
    assert (info.note, info.submitter) == ("by hand", "ada")


def test_a_file_is_stored_byte_for_byte(site: Site) -> None:
    client, data = signed_in(site), PROVN.replace(b"\n", b"\r\n")
    file = (io.BytesIO(data), "a.provn")
    assert send(client, "/projects/open/submit", name="file", text="other", file=file).status_code == 303
    assert site.owner.version("open", "file").sha256 == sha256(data)


def files(*pairs: tuple[str, bytes]) -> list[tuple[io.BytesIO, str]]:
    return [(io.BytesIO(data), name) for name, data in pairs]


def badges(page: TestResponse) -> list[str]:
    return re.findall(r'<td><span class="badge [a-z]+">([^<]+)</span>', page.text)


SEVERAL = (
    ("good one.provn", PROVN + b"\n\n"),
    ("bad.provn", BAD),
    ("run.provn", LATER + b"\n"),
    ("x.provn", b"nonsense"),
)


def test_several_files_are_checked_and_nothing_is_stored(site: Site) -> None:
    before = len(site.owner.documents("open"))
    page = send(signed_in(site), file=files(*SEVERAL))
    assert "2 of 4 files conform" in page.text
    assert badges(page) == ["✓ conforms", "✕ does not conform", "✓ conforms", "✕ not stored"]
    assert "Nobody is responsible" in page.text
    assert ">Submit all</button>" in page.text
    assert len(site.owner.documents("open")) == before


def test_several_files_are_stored_and_the_refused_one_is_kept(site: Site) -> None:
    client = signed_in(site)
    page = send(client, "/projects/open/submit", file=files(*SEVERAL), note="of May")
    assert page.status_code == 200
    assert badges(page) == ["✓ stored", "✕ refused", "✕ name taken", "✕ not stored"]
    info = site.owner.version("open", "good-one")
    assert (info.sha256, info.note, info.submitter) == (sha256(PROVN + b"\n\n"), "of May", "ada")
    mend = re.search(r'href="(/submit\?project=open&amp;pending=[^"]+)">Mend bad<', page.text)
    assert mend
    assert shown(client.get(html.unescape(mend[1]), headers=HERE)) == BAD.decode()
    assert 'href="/submit?project=open&amp;name=run">Replace run<' in page.text
    again = send(client, "/projects/open/submit", file=files(*SEVERAL[:2]), note="of May")
    assert badges(again) == ["✓ stored before", "✕ refused"]


def test_files_of_a_reviewed_submitter_wait_and_too_many_are_refused(site: Site) -> None:
    site.owner.create_project("guarded", public=True)
    text, _ = site.owner.create_token("rosa", projects=["guarded"])
    site.owner.set_project("guarded", reviewed=["rosa"])
    client = site.app.test_client()
    client.post("/session", data={"token": text}, headers=HERE)
    two = files(("one.provn", PROVN), ("two.provn", LATER))
    page = send(client, "/projects/guarded/submit", project="guarded", file=two)
    assert badges(page) == ["waits for a review"] * 2
    mine = client.get("/projects/guarded/pending", headers=HERE).text
    assert re.findall(r'pending/[0-9a-f-]{36}">(\w+)<', mine) == ["one", "two"]
    assert "Waits for others" in client.get("/", headers=HERE).text
    assert "Needs you" in signed_in(site).get("/", headers=HERE).text
    assert site.owner.documents("guarded") == []
    many = files(*((f"{n}.provn", PROVN) for n in range(51)))
    assert send(client, file=many).status_code == 413


def test_several_profiles_are_asked(site: Site) -> None:
    page = send(signed_in(site), text=PROVN.decode(), profile=["sensor", "exchange"])
    assert "to core/1.0, " in page.text
    assert "exchange/1.0" in page.text
    assert "sensor/1.0" in page.text
    assert '<span id="profiles-chosen">sensor, exchange</span>' in page.text
    assert re.findall(r'value="([\w-]+)" checked', page.text) == ["exchange", "sensor"]


def test_the_page_of_a_document_leads_to_its_replacement(site: Site) -> None:
    path = site.submit("led")
    assert "Replace it" not in site.client.get(path, headers=HERE).text
    assert "Replace it" not in signed_in(site, "reader").get(path, headers=HERE).text
    client = signed_in(site)
    page = client.get(path, headers=HERE).text
    assert 'href="/submit?project=open&amp;name=led">Replace it<' in page
    assert f'action="{path}/withdraw"' in page
    fields = {"form_token": form_token(client), "replaces": sha256(PROVN), "reason": "wrong"}
    assert client.post(f"{path}/withdraw", data=fields, headers=HERE).status_code == 303
    assert "Replace it" not in client.get(path, headers=HERE).text


def test_a_curator_mends_what_was_refused(site: Site) -> None:
    kept = send(signed_in(site), "/projects/open/submit", name="curated", text=BAD.decode(), action="keep")
    curator = signed_in(site, "open")
    page = curator.get(kept.headers["Location"], headers=HERE).text
    assert "Mend it" in page
    assert '<div class="source">' in page
    assert "activity(ex:run, 2025-03-01T10:00:00Z" in page
    report = curator.get(kept.headers["Location"] + "/report", headers=HERE).text
    assert "activity(ex:run, 2025-03-01T10:00:00Z" in report


def test_a_refused_document_is_kept_for_its_submitter_and_reviewers(site: Site) -> None:
    client, stranger, reader = signed_in(site), site.client, signed_in(site, "reader")
    kept = send(client, "/projects/open/submit", name="draft", text=BAD.decode(), action="keep")
    assert kept.status_code == 303
    at = kept.headers["Location"]
    page = client.get(at, headers=HERE)
    assert "Mend it" in page.text
    assert "Nobody is responsible" in page.text
    assert client.get(f"{at}?format=json", headers=HERE).json["why"] == "refused"
    assert stranger.get(at, headers=HERE).status_code == 401
    assert reader.get(at, headers=HERE).status_code == 403
    assert "draft" not in [document.name for document in site.owner.documents("open")]
    id_ = at.rpartition("/")[2]
    again = send(client, "/projects/open/submit", name="draft", text=BAD.decode(), action="keep")
    assert again.headers["Location"] == at  # the same bytes wait once
    other = signed_in(site, "open")
    decided = send(other, f"{at}/decide", decision="accept")
    assert decided.status_code == 422
    form = client.get(f"/submit?project=open&pending={id_}", headers=HERE)
    assert shown(form) == BAD.decode()
    done = send(client, "/projects/open/submit", name="draft", text=PROVN.decode() + "\n", pending=id_)
    assert done.status_code == 303
    found = site.owner.pending_document(id_)
    assert (found.state, found.reason) == ("rejected", "mended and submitted as draft, version 1")


def test_a_reviewed_submitter_keeps_and_gives_up(site: Site) -> None:
    site.owner.create_project("reviewed", public=True)
    text, _ = site.owner.create_token("rita", projects=["reviewed"])
    site.owner.set_project("reviewed", reviewed=["rita"], profiles=["core"])
    client = site.app.test_client()
    client.post("/session", data={"token": text}, headers=HERE)
    kept = send(client, "/projects/reviewed/submit", project="reviewed", text=BAD.decode(), action="keep")
    at = kept.headers["Location"]
    assert "Give it up" in client.get(at, headers=HERE).text
    assert send(client, f"{at}/decide", decision="nonsense").status_code == 400
    assert send(client, f"{at}/decide", decision="accept").status_code == 403
    assert send(client, f"{at}/decide", decision="reject", reason="a mistake").status_code == 303
    assert site.owner.pending_document(at.rpartition("/")[2]).state == "rejected"
    waiting = send(client, "/projects/reviewed/submit", project="reviewed", name="good", text=PROVN.decode())
    at = waiting.headers["Location"]
    assert "Give it up" in client.get(at, headers=HERE).text
    assert send(client, f"{at}/decide", decision="accept").status_code == 403
    assert send(client, f"{at}/decide", decision="reject").status_code == 303
    assert site.owner.pending_document(at.rpartition("/")[2]).why == "review"


def test_a_version_is_replaced_after_its_difference_was_shown(site: Site) -> None:
    client = signed_in(site)
    site.submit("replaced")
    page = send(client, name="replaced", text=LATER.decode())
    assert "replaced exists: version 1" in page.text
    assert "wasDerivedFrom(ex:table, ex:raw" in page.text
    conflict = send(client, "/projects/open/submit", name="replaced", text=LATER.decode())
    assert conflict.status_code == 409
    assert "Replace version 1 by this" in conflict.text
    page = send(client, name="replaced", text=LATER.decode(), replace=sha256(PROVN))
    assert "Ready to become version 2 of replaced." in page.text
    assert f'name="replaces" value="{sha256(PROVN)}"' in page.text
    fields = {"name": "replaced", "replaces": sha256(PROVN)}
    assert send(client, "/projects/open/submit", text=LATER.decode(), **fields).status_code == 303
    assert site.owner.version("open", "replaced").version == 2
    stale = send(client, "/projects/open/submit", text=LATER.decode() + "\n", **fields)
    assert stale.status_code == 409
    form = client.get("/submit?project=open&name=replaced", headers=HERE)
    assert shown(form) == LATER.decode()


def test_a_document_is_withdrawn_with_a_reason(site: Site) -> None:
    client = signed_in(site)
    path = site.submit("withdrawn") + "/withdraw"
    assert send(client, path, reason=" ").status_code == 400
    assert send(client, path, reason="x", replaces="0" * 64).status_code == 412
    answer = send(client, path, reason="wrong <i>unit</i>", replaces=sha256(PROVN))
    assert answer.headers["Location"] == "/projects/open/documents/withdrawn/versions"
    assert site.owner.history("open", "withdrawn")[0].reason == "wrong <i>unit</i>"
    assert send(client, path, reason="again").status_code == 410


@pytest.mark.parametrize("text", ["nonsense", "document\nentity(x)\nendDocument", "{", "\x00", "document"])
def test_what_cannot_be_read_has_a_reason(site: Site, text: str) -> None:
    page = send(signed_in(site), text=text)
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    stored = send(signed_in(site), "/projects/open/submit", name="nonsense", text=text)
    assert stored.status_code == 422


def test_what_is_too_large_to_be_shown_is_checked_all_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "LARGE", 100)
    client = signed_in(site)
    page = send(client, name="large", file=(io.BytesIO(BAD), "a.provn"))
    assert "✕ Does not conform" in page.text
    assert shown(page) == ""
    assert 'name="repair"' not in page.text


def test_values_of_users_are_text(site: Site) -> None:
    text = PROVN.decode().replace("harvest", "</textarea><script>x</script>")
    page = send(signed_in(site), text=text, name="<b>", note='"><img src=x>')
    assert shown(page) == text
    assert page.text.count("<script") == page.text.count('<script type="module" src="/static/')
    assert "<img" not in page.text


def test_the_form_offers_projects_that_the_caller_may_write_to(site: Site) -> None:
    assert [p["name"] for p in site.client.get("/submit").json["projects"]] == []
    for who, names in (("open", ["open"]), ("reader", []), ("all", sorted(p.name for p in site.owner.projects()))):
        found = site.client.get("/submit", headers=site.auth(who)).json
        assert [p["name"] for p in found["projects"]] == names
        page = signed_in(site, who).get("/submit", headers=HERE)
        assert [name for name in names if f'<option value="{name}"' not in page.text] == []
