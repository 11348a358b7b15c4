"""Recording a step by a form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provrepo.authoring.fields import FIELDS
from tests.pages.test_submitting import send
from tests.server.test_sessions import HERE, signed_in
from tests.support.serving import Site, opened

STEP = {
    "what": "Calibrated the <b>balance</b>",
    "who": "Ana Lima <https://orcid.org/0000-0002-1825-0097>\r\nBo",
    "when": "2026-01-31T09:30:00Z/2026-01-31T10:00:00Z",
    "input": "https://example.org/weights",
    "output": "https://example.org/certificate",
    "why": "yearly",
    "parameter": "mass=100 g",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.owner.set_project("open", profiles=["core"])
        yield site


def test_answers_become_a_document_that_is_stored(site: Site) -> None:
    client = signed_in(site)
    page = send(client, "/record", **STEP)
    assert "✓ Conforms" in page.text
    assert "wasAssociatedWith(" in page.text
    assert "<b>balance" not in page.text
    stored = send(client, "/projects/open/record", **STEP)
    assert (stored.status_code, stored.headers["Location"]) == (
        303,
        "/projects/open/documents/Calibrated-the-b-balance-b",
    )
    info = site.owner.version("open", "Calibrated-the-b-balance-b")
    assert (info.note, info.profiles[0].partition("/")[0]) == ("recorded by hand", "core")
    known = site.owner.thing("https://example.org/certificate", project="open")
    assert known


@pytest.mark.parametrize(
    ("field", "value"),
    [("what", ""), ("who", ""), ("when", "yesterday"), ("when", "2026-02-31"), ("input", "no iri"), ("parameter", "x")],
)
def test_a_wrong_answer_is_said_at_its_field(site: Site, field: str, value: str) -> None:
    client = signed_in(site)
    for path, status in (("/record", 200), ("/projects/open/record", 422)):
        page = send(client, path, **{**STEP, field: value})
        assert page.status_code == status
        assert f'<a href="#field-{field}">' in page.text
        assert page.text.count('aria-invalid="true"') == 1
    question = next(each.question for each in FIELDS if each.name == field)
    assert question in page.text


def test_no_file_of_the_server_is_read(site: Site) -> None:
    page = send(signed_in(site), "/record", **{**STEP, "input": "/etc/passwd"})
    assert 'href="#field-input"' in page.text
    assert "sha256" not in page.text.lower()


def test_the_fields_are_data_too(site: Site) -> None:
    found = site.client.get("/record").json
    assert [field["name"] for field in found["fields"]] == [field.name for field in FIELDS]
    assert site.client.post("/record", data=STEP, headers=HERE).status_code == 200
    answer = site.client.post("/projects/open/record", data={**STEP, "project": "open"}, headers=HERE)
    assert answer.status_code == 401
