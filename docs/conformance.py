"""What each format can carry of PROV, measured: a specimen of every concept is written and read again.

``matrix()`` is the table of ``reference/conformance.md``. A cell says yes only where reading gives back what was
written; elsewhere it points to the reasons that the format's ``losses`` gives. It is an error if it gives none, and if
it gives some for what comes back whole.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from provrepo.codecs import formats
from provrepo.codecs.formats import FORMATS, Format
from provrepo.model.document import Document, Quad
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import KINDS

__all__ = ["SPECIMENS", "Specimen", "matrix", "specimen", "unmapped", "verdict"]

T = "2024-05-31T14:05:00.10Z"
_HEAD = "document\nprefix ex <http://example.org/>\n"


class Specimen(NamedTuple):
    """One concept.

    Attributes:
        concept: its name.
        section: where it is defined; of PROV-DM where only a number is given.
        text: PROV-N that has it.
    """

    concept: str
    section: str
    text: str


def _statement(keyword: str, concept: str, text: str) -> Specimen:
    return Specimen(f"{concept}: `{keyword}`", KINDS[keyword].section, text)


SPECIMENS = (
    _statement("entity", "Entity", "entity(ex:e)"),
    _statement("activity", "Activity", f"activity(ex:a, {T}, {T})"),
    _statement("wasGeneratedBy", "Generation", f"wasGeneratedBy(ex:g; ex:e, ex:a, {T}, [ex:p=1])"),
    _statement("used", "Usage", f"used(ex:u; ex:a, ex:e, {T}, [ex:p=1])"),
    _statement("wasInformedBy", "Communication", "wasInformedBy(ex:c; ex:b, ex:a, [ex:p=1])"),
    _statement("wasStartedBy", "Start", f"wasStartedBy(ex:s; ex:a, ex:e, ex:b, {T}, [ex:p=1])"),
    _statement("wasEndedBy", "End", f"wasEndedBy(ex:s; ex:a, ex:e, ex:b, {T}, [ex:p=1])"),
    _statement("wasInvalidatedBy", "Invalidation", f"wasInvalidatedBy(ex:i; ex:e, ex:a, {T}, [ex:p=1])"),
    _statement("wasDerivedFrom", "Derivation", "wasDerivedFrom(ex:d; ex:e, ex:f, ex:a, ex:g, ex:u, [ex:p=1])"),
    Specimen("Revision", "5.2.2", "wasDerivedFrom(ex:e, ex:f, [prov:type='prov:Revision'])"),
    Specimen("Quotation", "5.2.3", "wasDerivedFrom(ex:e, ex:f, [prov:type='prov:Quotation'])"),
    Specimen("Primary source", "5.2.4", "wasDerivedFrom(ex:e, ex:f, [prov:type='prov:PrimarySource'])"),
    _statement("agent", "Agent", "agent(ex:ag)"),
    Specimen(
        "Person, organization, software agent",
        "5.3.1",
        "agent(ex:p, [prov:type='prov:Person']) agent(ex:o, [prov:type='prov:Organization']) "
        "agent(ex:s, [prov:type='prov:SoftwareAgent'])",
    ),
    _statement("wasAttributedTo", "Attribution", "wasAttributedTo(ex:t; ex:e, ex:ag, [ex:p=1])"),
    _statement("wasAssociatedWith", "Association", "wasAssociatedWith(ex:s; ex:a, ex:ag, ex:plan, [ex:p=1])"),
    Specimen("Plan", "5.3.3", "entity(ex:plan, [prov:type='prov:Plan'])"),
    _statement("actedOnBehalfOf", "Delegation", "actedOnBehalfOf(ex:d; ex:ag, ex:boss, ex:a, [ex:p=1])"),
    _statement("wasInfluencedBy", "Influence", "wasInfluencedBy(ex:i; ex:e, ex:f, [ex:p=1])"),
    Specimen(
        "Bundle",
        "5.4",
        "entity(ex:b, [prov:type='prov:Bundle']) bundle ex:b entity(ex:e) endBundle",
    ),
    _statement("specializationOf", "Specialization", "specializationOf(ex:e, ex:f)"),
    _statement("alternateOf", "Alternate", "alternateOf(ex:e, ex:f)"),
    Specimen(
        "Collection, empty collection",
        "5.6.1",
        "entity(ex:c, [prov:type='prov:Collection']) entity(ex:d, [prov:type='prov:EmptyCollection'])",
    ),
    _statement("hadMember", "Membership", "hadMember(ex:c, ex:e)"),
    Specimen("Label, with a language", "5.7.2.1", 'entity(ex:e, [prov:label="sheep", prov:label="mouton"@fr])'),
    Specimen("Location", "5.7.2.2", "entity(ex:e, [prov:location='ex:field', prov:location=\"south\"])"),
    Specimen("Role", "5.7.2.3", "used(ex:a, ex:e, -, [prov:role='ex:input', prov:role=\"raw\"])"),
    Specimen("Type", "5.7.2.4", "entity(ex:e, [prov:type='ex:File', prov:type=\"file\"])"),
    Specimen("Value", "5.7.2.5", 'entity(ex:e, [prov:value="007" %% xsd:integer])'),
    Specimen("Attributes of other vocabularies", "5.7.2", "entity(ex:e, [ex:p=1, ex:p='ex:q', ex:r=\"s\"])"),
    Specimen("An entity that is an agent", "5.3.1", "entity(ex:e) agent(ex:e)"),
    Specimen("One identifier, two statements of a kind", "5.1", "used(ex:u; ex:a, ex:e, -) used(ex:u; ex:b, ex:f, -)"),
    Specimen(
        "Two bundles of one identifier", "5.4", "bundle ex:b entity(ex:e) endBundle bundle ex:b entity(ex:f) endBundle"
    ),
    Specimen("A relation that lacks an end", "5", "hadMember(ex:c, -)"),
    _statement("mentionOf", "Mention", "mentionOf(ex:e, ex:f, ex:b)"),
    Specimen(
        "Dictionary, empty dictionary",
        "PROV-Dictionary #dictionary-conceptual-definition",
        "entity(ex:c, [prov:type='prov:Dictionary']) entity(ex:d, [prov:type='prov:EmptyDictionary'])",
    ),
    _statement(
        "derivedByInsertionFrom",
        "Insertion",
        "prov:derivedByInsertionFrom(ex:i; ex:d, ex:c, {(\"k\", ex:e), ('ex:k', ex:f)}, [ex:p=1])",
    ),
    _statement("derivedByRemovalFrom", "Removal", 'prov:derivedByRemovalFrom(ex:r; ex:d, ex:c, {"k", 1}, [ex:p=1])'),
    _statement("hadDictionaryMember", "Dictionary membership", 'prov:hadDictionaryMember(ex:d, ex:e, "k")'),
    Specimen(
        "Statements that extend PROV-N", "PROV-N extensibilityExpression", "ex:performed(ex:p; ex:e, 1, [ex:p=1])"
    ),
)
"""Every concept of PROV-DM, PROV-Links and PROV-Dictionary, and what formats are found to differ in."""


def unmapped() -> Document:
    """A document of one triple that PROV has nothing to say about."""
    place, see = Identifier("http://example.org/place"), Identifier("http://www.w3.org/2000/01/rdf-schema#seeAlso")
    document = Document()
    document.unmapped.add(Quad(place, see, place), "neither an element nor a relation")
    return document


def specimen(text: str) -> Document:
    """The document of a specimen."""
    return formats.read(f"{_HEAD}{text}\nendDocument".encode(), format="provn")


def verdict(document: Document, form: Format) -> list[str]:
    """Why a format does not carry a document, each reason once; nothing where it does.

    Raises:
        AssertionError: what the format names as lost is not what it loses.
    """
    lost = list(dict.fromkeys(loss.reason for loss in formats.losses(document, form.name) if not loss.kept))
    again = formats.read(document.write(form.name), format=form.name)
    kept = document.compare(again).same and _said(document)[1] == _said(again)[1]
    if not (kept or lost) or (lost and _said(document) == _said(again)):
        raise AssertionError(f"{form.name} names {lost} as lost, and loses: {document.compare(again).difference}")
    return lost


def _said(document: Document) -> tuple[list[object], list[Quad]]:
    """Everything that a document says, to be compared without asking what means the same."""
    instances: list[object] = [
        (bundle.id, Counter(bundle.statements), bundle.extensions) for bundle in document.instances()
    ]
    return instances, sorted(document.unmapped.quads)


def matrix() -> str:
    """The page: a row for each concept, a column for each format that documents are written in and read from."""
    forms = [form for form in FORMATS if form.reads and form.writes]
    notes: dict[str, int] = {}
    rows = []
    for concept, section, text in SPECIMENS:
        shown = f"PROV-DM {section}" if section[0].isdigit() else section
        rows.append([concept, shown, *(_cell(specimen(text), form, notes) for form in forms)])
    rows.append(
        ["RDF triples for which PROV-DM has no place", "—", *(_cell(unmapped(), form, notes) for form in forms)]
    )
    lines = [
        " | ".join(["concept", "defined in", *(form.title for form in forms)]),
        "|".join(["---"] * (len(forms) + 2)),
    ]
    lines += [" | ".join(row) for row in rows]
    table = "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)
    reasons = "\n".join(f"{number}. {reason}." for reason, number in notes.items())
    return f"{table}\n\n## What is lost\n\n{reasons}\n"


def _cell(document: Document, form: Format, notes: dict[str, int]) -> str:
    lost = verdict(document, form)
    if not lost:
        return "kept" if any(loss.kept for loss in formats.losses(document, form.name)) else "yes"
    return ", ".join(f"no ({notes.setdefault(reason, len(notes) + 1)})" for reason in lost)
