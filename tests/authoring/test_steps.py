"""Steps that a person describes: their fields, and the document of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import provrepo
from provrepo.authoring.fields import FIELDS, FieldError, item_of_bytes
from provrepo.authoring.steps import described, document
from provrepo.capture.journal.attributes import content
from provrepo.errors import UsageError
from provrepo.model.document import Document
from provrepo.model.statements import ACTIVITY, AGENT, ASSOCIATION, DERIVATION, GENERATION, SPECIALIZATION, USAGE
from provrepo.vocab import PROV_LABEL, PROV_TYPE, PROVREPO, RDFS, SCHEMA

ORCID = "0000-0002-1825-0097"
GIVEN = {
    "what": ["weighed the samples"],
    "who": [f"Ana Lima <{ORCID}>", "Bo"],
    "when": ["2026-01-31T09:00Z/10:30Z"],
    "input": ["https://lab.example/tray-7"],
    "output": ["https://lab.example/weights"],
    "why": ["the first weighing was wet"],
    "plan": ["SOP 12"],
    "parameter": ["balance=B3", "password=hunter2"],
}


def texts(document_: Document, kind: object, name: str) -> list[str]:
    return [str(value) for s in document_ if s.kind is kind for key, value in s.attributes if key == name]


def test_every_field_is_in_the_document() -> None:
    assert set(GIVEN) == {field.name for field in FIELDS}
    found = document([described(GIVEN)])
    (activity,) = [s for s in found if s.kind is ACTIVITY]
    assert activity.args == ("2026-01-31T09:00:00Z", "2026-01-31T10:30:00Z")
    assert texts(found, ACTIVITY, PROV_LABEL) == GIVEN["what"]
    assert texts(found, ACTIVITY, PROV_TYPE) == [PROVREPO + "ByHand"]
    assert texts(found, ACTIVITY, RDFS + "comment") == GIVEN["why"]
    assert texts(found, ACTIVITY, SCHEMA + "additionalProperty") == ["balance=B3", "password=(masked)"]
    assert [s.args[1] for s in found if s.kind is USAGE] == GIVEN["input"]
    assert [s.args[0] for s in found if s.kind is GENERATION] == GIVEN["output"]
    assert [s.args[:2] for s in found if s.kind is DERIVATION] == [(GIVEN["output"][0], GIVEN["input"][0])]
    assert texts(found, AGENT, PROV_LABEL) == ["Ana Lima", "Bo"]
    agents = [s.args for s in found if s.kind is ASSOCIATION]
    assert agents[0][1] == f"https://orcid.org/{ORCID}"
    assert all(args[2] is not None for args in agents)


@pytest.mark.parametrize("profile", ["core", "pipeline"])
def test_the_document_conforms(profile: str, tmp_path: Path) -> None:
    sheet = tmp_path / "weights.csv"
    sheet.write_text("12.5\n")
    given = GIVEN | {"input": [str(sheet)]}
    report = provrepo.validate(document([described(given, here=True)]), profiles=[profile], constraints="gate")
    assert report.conforms, report.findings
    assert not report.findings


def test_the_same_description_gives_the_same_bytes() -> None:
    assert document([described(GIVEN)]).write("trig") == document([described(GIVEN)]).write("trig")
    other = GIVEN | {"why": ["to be sure"]}
    assert document([described(GIVEN)]).write("trig") != document([described(other)]).write("trig")


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    sheet = tmp_path / "weights.csv"
    sheet.write_bytes(b"12.5\n")
    name = content(hashlib.sha256(b"12.5\n").hexdigest())
    for output in (str(sheet), item_of_bytes("C:/folder/weights.csv", b"12.5\n")):
        found = document([described(GIVEN | {"output": [output]}, here=True)])
        assert [s.args[1] for s in found if s.kind is SPECIALIZATION] == [name]
        assert PROVREPO + "Source" not in [str(value) for s in found for _, value in s.attributes]


def test_an_input_that_an_earlier_step_made_is_that_output(tmp_path: Path) -> None:
    sheet = tmp_path / "weights.csv"
    sheet.write_bytes(b"12.5\n")
    first = described(GIVEN | {"output": [str(sheet)]}, here=True)
    second = described(GIVEN | {"input": [str(sheet)]}, here=True)
    found = document([first, second])
    (made,) = [s.args[0] for s in found if s.kind is GENERATION and str(s.args[0]).startswith("urn:uuid:")]
    assert made in [s.args[1] for s in found if s.kind is USAGE]
    # The other way round the input came from outside: a document is never its own cause.
    assert PROVREPO + "Source" in [str(value) for s in document([second, first]) for _, value in s.attributes]


def test_without_here_no_file_is_read(tmp_path: Path) -> None:
    sheet = tmp_path / "secret.csv"
    sheet.write_text("secret")
    for field in ("input", "output"):
        with pytest.raises(FieldError, match="is not an absolute IRI") as caught:
            described(GIVEN | {field: [str(sheet)]})
        assert caught.value.field == field
    plan = document([described(GIVEN | {"plan": [str(sheet)]})]).write("trig")
    assert hashlib.sha256(b"secret").hexdigest().encode() not in plan


@pytest.mark.parametrize(
    ("when", "start", "end"),
    [
        ("2026-01-31", "2026-01-31T00:00:00", "2026-01-31T23:59:59"),
        ("2026-01-31T09:30", "2026-01-31T09:30:00", None),
        ("2026-01-31 09:30:15.5+01:00", "2026-01-31T09:30:15.500000+01:00", None),
        ("2026-01-31T09:00+01:00/10:30", "2026-01-31T09:00:00+01:00", "2026-01-31T10:30:00+01:00"),
        ("2026-01-31/2026-02-01", "2026-01-31T00:00:00", "2026-02-01T23:59:59"),
    ],
)
def test_times(when: str, start: str, end: str | None) -> None:
    step = described(GIVEN | {"when": [when]})
    assert (step.start, step.end) == (start, end)


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("what", [" "], "is missing"),
        ("what", ["a", "b"], "has 2 values"),
        ("who", [], "is missing"),
        ("who", ["Ana <0000-0002-1825-0098>"], "check digit"),
        ("who", ["Ana <nobody>"], "neither an absolute IRI"),
        ("who", ["https://ana:secret@lab.example/"], "contains a password"),
        ("when", ["yesterday"], "'yesterday' is not a time"),
        ("when", ["2026-02-30"], "is not a time"),
        ("when", ["2026-01-31/2026-01-30"], "ends before it starts"),
        ("when", ["2926-01-31"], "is in the future"),
        ("output", ["weights.csv"], "no file here, and not an absolute IRI"),
        ("output", ["."], "not a regular file"),
        ("output", ["https://lab.example/tray-7"], "is an input too"),
        ("output", ["urn:x y"], "not an absolute IRI"),
        ("parameter", ["fast"], "is not NAME=VALUE"),
    ],
)
def test_a_wrong_value_is_an_error_of_its_field(field: str, values: list[str], message: str) -> None:
    with pytest.raises(FieldError) as caught:
        described(GIVEN | {field: values}, here=True)
    assert caught.value.field == field
    assert message in caught.value.message


def test_times_have_a_zone_or_none() -> None:
    with pytest.raises(FieldError, match="in one of its times only"):
        described(GIVEN | {"when": ["2026-01-31T09:00Z/2026-01-31T10:00"]})


def test_a_step_without_inputs_and_outputs_says_nothing() -> None:
    with pytest.raises(FieldError, match="name what was made or what was used"):
        described(GIVEN | {"input": [], "output": [""]})


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(UsageError, match="no field 'where'; it has: what, who"):
        described({"where": ["here"]})
