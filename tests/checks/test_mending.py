"""Repairs that are offered for findings, and their effect on the text."""

from __future__ import annotations

import pytest

from provrepo.checks.mending import Mending, added
from provrepo.checks.validation import check
from provrepo.codecs import formats

BODY = """  prefix ex <https://example.org/>
  activity(ex:run, 2026-01-01T10:00:00Z, -)
  wasGeneratedBy(ex:out, ex:run, -)
  used(ex:run, ex:in, -)
  agent(ex:ada)
"""
PROVN = f"document\n{BODY}endDocument\n"
BUNDLED = (
    f"document\n{BODY}  bundle ex:b\n  prefix ex <https://example.org/>\n    entity(ex:e)\n  endBundle\nendDocument\n"
)
TURTLE = """@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix ex: <https://example.org/> .
ex:run a prov:Activity ; prov:used ex:in .
ex:out prov:wasGeneratedBy ex:run .
ex:ada a prov:Agent .
"""


def violations(text: str):
    report = check(formats.read(text.encode()), profiles=["core"], source=text.encode())
    return [finding for finding in report.findings if finding.severity == "violation"]


@pytest.mark.parametrize("text", [PROVN, BUNDLED, TURTLE])
def test_repairs_mend_what_they_are_offered_for(text: str) -> None:
    before = len(violations(text))
    assert before >= 2
    for _ in range(before):
        found = violations(text)
        if not found:
            break
        repair = Mending(formats.read(text.encode())).of(found[0])[0]
        lines = text.splitlines()
        text = added(text, repair.statement)
        assert [line for line in text.splitlines() if line not in lines] == [
            line for line in text.splitlines() if line.strip() == repair.statement
        ]
        assert len(violations(text)) < len(found)
    assert violations(text) == []


def test_words_say_what_is_added() -> None:
    mending = Mending(formats.read(PROVN.encode()))
    offered = {repair.words: repair.statement for finding in violations(PROVN) for repair in mending.of(finding)}
    assert offered == {
        "Add: ex:ada is responsible": "wasAssociatedWith(ex:run, ex:ada)",
        "Describe ex:out as an entity": "entity(ex:out)",
        "Describe ex:in as an entity": "entity(ex:in)",
    }


def test_nothing_is_invented() -> None:
    """No agent, too many agents, names that need escapes, other formats: all are left to the author."""
    without = PROVN.replace("  agent(ex:ada)\n", "")
    many = PROVN.replace("agent(ex:ada)", "".join(f"agent(ex:a{n})\n" for n in range(4)))
    for text in (without, many):
        mending = Mending(formats.read(text.encode()))
        offered = [repair.words for finding in violations(text) for repair in mending.of(finding)]
        assert offered
        assert not [words for words in offered if "responsible" in words]
    escaped = PROVN.replace("ex:out", "ex:o\\'ut")
    statements = [r.statement for f in violations(escaped) for r in Mending(formats.read(escaped.encode())).of(f)]
    assert not [statement for statement in statements if "o" in statement.partition("ex:")[2][:1]]
    document = formats.read(PROVN.encode())
    as_json = formats.write(document, "provjson").decode()
    assert [r for f in violations(as_json) for r in Mending(formats.read(as_json.encode())).of(f)] == []
    report = check(document, profiles=["core"])
    times = [finding for finding in report.findings if "YYYY" in (finding.patch or "")]
    assert [repair for finding in times for repair in Mending(document).of(finding)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("document\nendDocument", "document\nx(a)\nendDocument"),
        ("document endDocument", "document\nx(a)\nendDocument"),
        ("document\n  a(b)\n\nendDocument\n", "document\n  a(b)\n  x(a)\nendDocument\n"),
        ("@prefix a: <b> .", "@prefix a: <b> .\nx(a)\n"),
        ("", "\nx(a)\n"),
    ],
)
def test_a_statement_has_its_place(text: str, expected: str) -> None:
    assert added(text, "x(a)\ny(b)") == expected
