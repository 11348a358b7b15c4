"""Findings on content that is not read: empty documents, and triples, terms and namespaces similar to PROV's."""

from __future__ import annotations

from pathlib import Path

import pytest

import provrepo
from provrepo.checks.emptiness import only_empty
from provrepo.checks.findings import Finding, Severity
from provrepo.checks.report import Report
from provrepo.errors import Refused
from provrepo.model.compare import compare
from provrepo.model.document import Document, UnreadPart
from provrepo.model.identifiers import Identifier
from provrepo.model.prov_namespace import TERMS, closest, misspelled, namespace_for
from provrepo.model.statements import ENTITY, Statement
from provrepo.repository.repository import Repository
from provrepo.vocab import PROV, RDF, RDFS
from tests.support.command import Command
from tests.support.paths import TESTS
from tests.support.serving import Site, opened

CASES = TESTS / "cases" / "check"
PREFIXES = "@prefix prov: <http://www.w3.org/ns/prov#> .\n@prefix ex: <http://e.example/> .\n"

EMPTY = {
    "turtle": [b"", b"# nothing\n", PREFIXES.encode(), b"<http://e.example/a> <http://e.example/b> 1 ."],
    "trig": [b"", b"GRAPH <http://e.example/g> { <http://e.example/a> <http://e.example/b> 1 }"],
    "ntriples": [b"", b"# nothing\n"],
    "nquads": [b""],
    "rdfxml": [b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'],
    "rdfjsonld": [b"[]", b'{"@context": {"prov": "http://www.w3.org/ns/prov#"}}'],
    "provn": [
        b"document endDocument",
        b"document\nprefix ex <http://e.example/>\n// nothing\nendDocument",
        b"document prefix ex <http://e.example/> bundle ex:b endBundle endDocument",
    ],
    "provjson": [b"{}", b'{"prefix": {"ex": "http://e.example/"}, "entity": {}}'],
    "provxml": [b'<prov:document xmlns:prov="http://www.w3.org/ns/prov#"/>'],
}


def rules(report: Report) -> list[str]:
    return [finding.rule for finding in report.findings]


def judged(source: bytes, format: str, constraints: str | None = None) -> Report:  # noqa: A002
    return provrepo.validate(provrepo.read(source, format=format), source=source, constraints=constraints)


def turtle(text: str) -> Document:
    return provrepo.read((PREFIXES + text).encode(), format="turtle")


def found(text: str, rule: str, format: str = "turtle") -> list[Finding]:  # noqa: A002
    source = (PREFIXES + text).encode() if format == "turtle" else text.encode()
    report = judged(source, format, "off")
    return [finding for finding in report.findings if finding.rule == rule]


# Documents that say nothing of PROV


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, report in EMPTY.items() for data in report])
def test_a_document_without_statements_is_read_and_fails_with_any_profile(name: str, data: bytes) -> None:
    document = provrepo.read(data, format=name)
    assert not len(document)
    assert document.write("provn")
    alone = provrepo.validate(document)
    assert alone.conforms
    assert [finding.severity for finding in alone.findings if finding.rule == "prov-dm:empty"] == [Severity.WARNING]
    report = provrepo.validate(document, profiles=["core"])
    assert not report.conforms
    assert only_empty(report)


def test_one_statement_in_a_bundle_is_enough() -> None:
    text = "document prefix ex <http://e.example/> bundle ex:b entity(ex:e) endBundle endDocument"
    assert "prov-dm:empty" not in rules(judged(text.encode(), "provn"))


def test_the_finding_lists_the_contents_of_the_document() -> None:
    document = turtle("ex:a ex:b 1, 2 .")
    (finding,) = provrepo.validate(document).findings
    assert "2 triples that PROV has no meaning for" in finding.message
    document = Document()
    document.unmapped.add_part(UnreadPart("/hello", "no such key"))
    assert "1 part that" in next(f for f in provrepo.validate(document).findings if f.rule == "prov-dm:empty").message


@pytest.mark.parametrize(("name", "data"), [(name, report[0]) for name, report in EMPTY.items()])
def test_an_empty_document_is_stored_only_on_request(name: str, data: bytes, repository: Repository) -> None:
    with pytest.raises(Refused, match="--allow-empty") as caught:
        repository.submit(data, name="e", format=name)
    assert not caught.value.report.conforms
    assert repository.documents("default") == []
    receipt = repository.submit(data, name="e", format=name, allow_empty=True)
    assert (receipt.version.statements, receipt.version.verdict) == (0, "conforms")
    assert rules(receipt.report) == ["prov-dm:empty"]
    assert repository.original("default", "e")[0] == data


def test_an_empty_document_is_stored_with_the_verdict_of_its_profiles(repository: Repository) -> None:
    receipt = repository.submit(b"{}", name="e", profiles=["core"], allow_empty=True)
    assert receipt.version.verdict == "fails"
    assert repository.version("default", "e").verdict == "fails"
    assert repository.query(f"ASK {{ GRAPH <{receipt.version.iri}> {{ ?s ?p ?o }} }}").boolean is False


def test_allowing_empty_documents_allows_nothing_else(repository: Repository) -> None:
    with pytest.raises(Refused, match="does not conform"):
        repository.submit(CASES / "namespace-https.ttl", allow_empty=True)
    with pytest.raises(Refused):
        repository.submit(b"document used(-, -) endDocument", name="u", format="provn", allow_empty=True)


def test_submit_allow_empty_on_the_command_line(tmp_path: Path) -> None:
    command = Command(tmp_path / "data")
    assert "--allow-empty" in command.error("submit", CASES / "empty.ttl", code=1)
    assert "1 warning" in command("submit", CASES / "empty.ttl", "--allow-empty").stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


def send(site: Site, path: str, data: bytes, method: str = "post"):
    headers = {**site.auth("all"), "If-Match": "*"} if method == "put" else site.auth("all")
    return getattr(site.client, method)(path, data=data, headers=headers, content_type="text/turtle")


def test_allow_empty_over_http(site: Site) -> None:
    at = "/projects/open/documents"
    refused = send(site, f"{at}?name=empty", b"# nothing")
    assert refused.status_code == 422
    assert refused.get_json()["report"]["verdict"] == "fails"
    assert "allow_empty" in refused.get_json()["detail"]
    assert send(site, f"{at}?name=empty&allow_empty=yes", b"# nothing").status_code == 400
    stored = send(site, f"{at}?name=empty&allow_empty=true", b"# nothing")
    assert stored.status_code == 201
    assert stored.get_json()["report"]["counts"]["warning"] == 1
    assert send(site, f"{at}/empty", b"# still nothing", "put").status_code == 422
    assert send(site, f"{at}/empty?allow_empty=true", b"# still nothing", "put").status_code == 200
    checked = site.client.post("/validate", data=b"# nothing", content_type="text/turtle").get_json()
    assert (checked["verdict"], checked["findings"][0]["rule"]) == ("conforms", "prov-dm:empty")


# Triples that make no statement


def test_texts_instead_of_things_and_times_are_findings_with_a_location() -> None:
    report = judged((CASES / "relations-to-text.ttl").read_bytes(), "turtle")
    unread = {finding.path: finding for finding in report.findings if finding.rule == "prov-o:unread"}
    assert {path.removeprefix(PROV): finding.line for path, finding in unread.items()} == {
        "startedAtTime": 3,
        "wasAssociatedWith": 3,
        "hadPrimarySource": 4,
    }
    assert "xsd:dateTime" in unread[PROV + "startedAtTime"].repair
    assert "<http://field.example/in>" in unread[PROV + "hadPrimarySource"].repair
    assert sum(number for _, number in report.unmapped) == 3


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ("ex:a prov:used\n 'x' .", 3, "used"),
        ("ex:a prov:used [\n a prov:Entity ;\n prov:generatedAtTime 'now' ] .", 5, "generatedAtTime"),
        ("ex:a prov:qualifiedUsage 'x' .", 3, "qualifiedUsage"),
        ("ex:e prov:wasUsedBy 'x' .", 3, "wasUsedBy"),
        ("[] prov:qualifiedUsageOf 'x' .", 3, "qualifiedUsageOf"),
        ("ex:e prov:mentionOf 'x' .", 3, "mentionOf"),
        ("ex:e prov:asInBundle ex:b .", 3, "asInBundle"),
        ("ex:d prov:hadDictionaryMember 'x' .", 3, "hadDictionaryMember"),
        ("ex:a prov:startedAtTime '2020-01-01'^^<http://www.w3.org/2001/XMLSchema#date> .", 3, "startedAtTime"),
        ("ex:a prov:startedAtTime ex:monday .", 3, "startedAtTime"),
        ("ex:e prov:invalidatedAtTime 2020 .", 3, "invalidatedAtTime"),
        ("ex:a prov:qualifiedAssociation [ prov:agent\n 'x' ] .", 3, "agent"),
        ("ex:a prov:qualifiedUsage [ prov:entity ex:e ;\n prov:atTime 'x' ] .", 4, "atTime"),
        ("ex:x prov:value 1 .", 3, "value"),
        ("ex:x prov:Entity ex:y .", 3, "Entity"),
        ("ex:x prov:used 'x'@ar--rtl .", 3, "used"),
    ],
)
def test_a_triple_with_a_property_of_prov_that_makes_no_statement_is_a_finding(text: str, line: int, path: str) -> None:
    (finding,) = found(text, "prov-o:unread")
    assert (finding.line, finding.path, finding.severity) == (line, PROV + path, Severity.WARNING)
    assert finding.value
    assert finding.approximate


def test_ambiguous_values_are_findings() -> None:
    text = "ex:a prov:qualifiedAssociation [ prov:agent ex:g, ex:h ; prov:hadPlan ex:p, ex:q ] ."
    assert [finding.path for finding in found(text, "prov-o:unread")] == [PROV + "hadPlan"] * 2


def test_a_subproperty_of_prov_is_checked_in_the_same_way() -> None:
    text = f"ex:read <{RDFS}subPropertyOf> prov:used . ex:a ex:read 1 ."
    assert [finding.path for finding in found(text, "prov-o:unread")] == ["http://e.example/read"]


def test_many_triples_of_one_kind_are_counted() -> None:
    text = "".join(f"ex:a{n} prov:used 'x{n}' .\n" for n in range(250))
    findings = found(text, "prov-o:unread")
    assert len(findings) == 101
    assert any(finding.message.startswith("250 triples") for finding in findings)


def test_compare_includes_triples_that_make_no_statement() -> None:
    source = (CASES / "relations-to-text.ttl").read_text()
    whole, without = (
        provrepo.read(source.encode()),
        provrepo.read(source.replace(' ; prov:wasAssociatedWith "bob"', "").encode()),
    )
    found = compare(whole, without)
    assert not found.same
    assert len(found.difference.left) == 1
    assert "prov:wasAssociatedWith" in found.difference.left[0]
    other = compare(whole, provrepo.read(source.replace("21:24", "21:25").encode()))
    assert [change.kind for change in other.difference.changed] == ["triple"]
    for format_ in ("turtle", "nquads", "rdfxml", "rdfjsonld"):
        assert compare(whole, provrepo.read(whole.write(format_), format=format_)).same
    for format_ in ("provn", "provjson", "provxml", "provjsonld"):
        assert not compare(whole, provrepo.read(whole.write(format_), format=format_)).same
        assert any("make no statement" in loss.reason for loss in whole.losses(format_))


def test_compare_matches_the_blank_nodes_of_such_triples() -> None:
    text = "ex:a prov:used [ prov:generatedAtTime '{}' ; ex:n 1 ], [ prov:generatedAtTime '{}' ; ex:n 2 ] ."
    assert compare(turtle(text.format("x", "y")), turtle(text.format("x", "y"))).same
    assert not compare(turtle(text.format("x", "y")), turtle(text.format("y", "x"))).same


def test_other_triples_do_not_make_documents_differ() -> None:
    assert compare(turtle("ex:e a prov:Entity . ex:x ex:y 1 ."), turtle("ex:e a prov:Entity .")).same
    assert compare(turtle("ex:e a prov:Entity . ex:x prov:has_anchor ex:e ."), turtle("ex:e a prov:Entity .")).same


# Terms that PROV does not have


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("ex:x a prov:Foo .", "Foo"),
        ("ex:e a prov:Entity, prov:Foo .", "Foo"),
        ("ex:x prov:isAssociatedWith ex:y .", "isAssociatedWith"),
        ("ex:e a prov:Entity ; ex:kind prov:Foo .", "Foo"),
        ("ex:e a prov:Entity ; ex:kind 'x'^^prov:Foo .", "Foo"),
        ("ex:x ex:kind 'x'^^prov:Foo .", "Foo"),
        ("ex:e a prov:Entity ; prov:wasGeneratedBy prov:run .", "run"),
        ("prov:foo a prov:Entity .", "foo"),
        ("ex:x a prov:used .", "used"),
        ("ex:e a prov:Entity, prov:wasGeneratedBy .", "wasGeneratedBy"),
    ],
)
def test_a_term_that_prov_does_not_have_is_a_warning(text: str, term: str) -> None:
    (finding,) = found(text, "prov-dm:term")
    assert finding.severity is Severity.WARNING
    assert f"prov:{term}" in finding.message
    assert finding.line == 3


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("provn", "document\nprefix ex <http://e.example/>\nentity(ex:e, [prov:type='prov:Foo'])\nendDocument"),
        ("provjson", '{"entity": {"prov:Foo": {}}}'),
        (
            "provxml",
            '<prov:document xmlns:prov="http://www.w3.org/ns/prov#" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema#" '
            'xmlns:ex="http://e.example/"><prov:entity prov:id="ex:e">'
            '<prov:type xsi:type="xsd:QName">prov:Foo</prov:type></prov:entity></prov:document>',
        ),
    ],
)
def test_such_terms_are_found_in_every_format(format_: str, text: str) -> None:
    assert [finding.severity for finding in found(text, "prov-dm:term", format_)] == [Severity.WARNING]


def test_many_unknown_terms_are_counted() -> None:
    findings = found("".join(f"ex:e{n} a prov:Entity, prov:Kind{n} .\n" for n in range(150)), "prov-dm:term")
    assert len(findings) == 101
    assert any(finding.message.startswith("150 terms") for finding in findings)


def test_an_unknown_attribute_gets_a_suggestion() -> None:
    (finding,) = found("ex:a a prov:Activity ; prov:isAssociatedWith ex:g .", "prov-dm:attribute")
    assert "prov:wasAssociatedWith" in finding.repair
    assert closest("WASGENERATEDBY") == "wasGeneratedBy"
    assert closest("something") is None


@pytest.mark.parametrize(
    "text",
    [
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . ex:Run rdfs:subClassOf prov:Activity .",
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . ex:read rdfs:subPropertyOf prov:used .",
        "@prefix owl: <http://www.w3.org/2002/07/owl#> . <http://e.example/> a owl:Ontology ; owl:imports prov:, "
        "<http://www.w3.org/ns/prov-o#>, <http://www.w3.org/ns/prov> . prov:used a owl:ObjectProperty .",
        "ex:x prov:has_provenance ex:p ; prov:has_anchor ex:x ; prov:pingback ex:q ; prov:has_query_service ex:s . "
        "ex:s a prov:ServiceDescription ; prov:describesService ex:d ; prov:provenanceUriTemplate 'x' . "
        "ex:d a prov:DirectQueryService .",
        "ex:berlin a prov:Location . ex:r a prov:Role . ex:p a prov:Publish, prov:RightsAssignment .",
        "prov:used prov:category 'starting-point' ; prov:component 'entities-activities' .",
    ],
)
def test_correct_vocabulary_is_not_reported(text: str) -> None:
    report = judged((PREFIXES + text).encode(), "turtle")
    assert rules(report) in (["prov-dm:empty"], [])


def test_all_terms_that_the_reader_knows_are_terms_of_prov() -> None:
    from provrepo.codecs.provo.dictionary import ENTRIES, PAIR, PAIR_ENTITY, PAIR_KEY
    from provrepo.codecs.provo.terms import ATTRIBUTE_OF, CLASS, PLACES, PREDICATES, SUBCLASSES, SUBTYPES

    places = [name for report in PLACES.values() for name in report]
    known = [*ENTRIES.values(), PAIR, PAIR_KEY, PAIR_ENTITY, *ATTRIBUTE_OF, *ATTRIBUTE_OF.values(), *CLASS, *places]
    names = {iri.removeprefix(PROV) for iri in [*known, *PREDICATES, *SUBCLASSES, *SUBTYPES] if iri.startswith(PROV)}
    assert names <= TERMS


# Namespaces that are nearly PROV's

WRONG = [
    "https://www.w3.org/ns/prov#",
    "http://www.w3.org/ns/prov",
    "http://www.w3.org/ns/prov/",
    "http://www.w3.org/ns/prov/#",
    "http://www.w3.org/ns/prov%23",
    "http://w3.org/ns/prov#",
    "https://w3.org/ns/prov/",
    "http://www.w3.org/ns/PROV#",
    "http://WWW.W3.org/ns/prov#",
    "http://www.w3.org/ns/porv#",
    "http://www.w3.org/ns/provo#",
    "http://www.w3.org/ns/pro#",
    "http://www.w3.org/n/prov#",
    "http://www.w3.org//ns/prov#",
    "http://wwww.w3.org/ns/prov#",
    "http:/www.w3.org/ns/prov#",
    "http://www.w3.org/ns/prov-o#",
    "http://www.w3.org/TR/prov-o/#",
]


@pytest.mark.parametrize("namespace", WRONG)
def test_a_namespace_similar_to_provs_is_a_violation_that_names_the_right_one(namespace: str) -> None:
    body = "ex:e a p:Entity ; p:wasGeneratedBy ex:a ."
    text = f"@prefix p: <{namespace}> .\n@prefix ex: <http://e.example/> .\n{body}\n"
    report = judged(text.encode(), "turtle")
    (finding,) = (finding for finding in report.findings if finding.rule == "prov-dm:namespace")
    assert finding.severity is Severity.VIOLATION
    assert f"<{PROV}>" in finding.message
    assert "2 uses" in finding.message
    assert (finding.focus, finding.line) == (namespace, 1)


@pytest.mark.parametrize(
    ("format_", "text", "line"),
    [
        ("ntriples", f"# x\n<http://e.example/e> <{RDF}type> <http://www.w3.org/ns/prov/Entity> .", 2),
        ("nquads", f"<http://e.example/e> <{RDF}type> <https://www.w3.org/ns/prov#Entity> <http://e.example/g> .", 1),
        (
            "rdfjsonld",
            '{"@context": {\n"p": "https://www.w3.org/ns/prov#"}, "@id": "http://e.example/e", "@type": "p:Entity"}',
            2,
        ),
        (
            "provn",
            "document\nprefix p <http://www.w3.org/ns/prov>\nprefix ex <http://e.example/>\nentity(ex:e)\nendDocument",
            2,
        ),
        ("provn", "document\nprefix prov <https://www.w3.org/ns/prov#>\nentity(prov:e)\nendDocument", 2),
        (
            "provjson",
            '{"prefix": {\n"p": "http://www.w3.org/ns/prov", "ex": "http://e/"}, "entity": {"ex:e": {"p:label": "x"}}}',
            2,
        ),
    ],
)
def test_such_a_namespace_is_found_in_every_format(format_: str, text: str, line: int) -> None:
    (finding,) = found(text, "prov-dm:namespace", format_)
    assert (finding.severity, finding.line) == (Severity.VIOLATION, line)
    assert PROV in f"{finding.message} {finding.repair}"


@pytest.mark.parametrize(
    "namespace",
    [
        "https://openprovenance.org/ns/provext#",
        "https://openprovenance.org/ns/prov#",
        "http://example.org/ns/prov#",
        "http://www.w3.org/ns/prov/extension#",
        "http://www.w3.org/ns/dx/prof/",
        "http://purl.org/net/p-plan#",
        "http://www.w3.org/ns/dcat#",
        "http://www.w3.org/ns/org#",
        "http://www.w3.org/ns/r2rml#",
        "http://www.w3.org/ns/ssn/",
    ],
)
def test_namespaces_of_others_are_not_reported(namespace: str) -> None:
    assert not misspelled(namespace)
    assert namespace_for(f"{namespace}Entity") is None
    assert not found(f"@prefix x: <{namespace}> . ex:e a prov:Entity, x:Entity ; x:used ex:f .", "prov-dm:namespace")


# Where it is reported


def test_receipt_report_and_page_show_what_is_not_read(site: Site) -> None:
    data = (CASES / "relations-to-text.ttl").read_bytes() + b"ex:x ex:y ex:z .\n"
    at = "/projects/open/documents"
    receipt = send(site, f"{at}?name=texts", data).get_json()
    assert receipt["report"]["counts"]["warning"] == 3
    assert sum(receipt["report"]["unmapped"].values()) == receipt["unmapped"] == 4
    assert site.client.get(f"{at}/texts/report?format=json", headers=site.auth("all")).get_json() == receipt["report"]
    metadata = site.client.get(f"{at}/texts/metadata", headers=site.auth("all")).get_json()
    assert metadata["counts"]["warning"] == 3
    assert sum(metadata["unmapped"].values()) == 4
    page = site.client.get(f"{at}/texts", headers={**site.auth("all"), "Accept": "text/html"}).text
    assert "a literal where PROV-O has an identifier" in page
    assert "4 parts of the source" in page
    assert "prov-o:unread" in page


def test_the_formats_of_a_report_have_the_number_of_unread_parts() -> None:
    from provrepo.checks.render import render

    report = provrepo.validate(turtle("ex:e a prov:Entity . ex:x ex:y 1, 2 ."))
    sentence = "2 triples or other parts make no statement"
    assert sentence in render(report, "text")
    assert sentence in render(report, "html")
    assert Report.from_dict(report.to_dict()) == report
    [(reason, number)] = report.unmapped
    assert report.unmapped_text() == f"{sentence}: {reason} ({number})"
    assert not Report.of([], layers=()).unmapped_text()


def test_a_document_made_in_memory_has_no_unread_parts() -> None:
    assert not provrepo.validate(Document([Statement(ENTITY, Identifier("http://e.example/e"), ())])).findings


@pytest.mark.parametrize(
    ("format", "text", "meant"),
    [
        # the suggestion can be read there, in that format
        ("turtle", "ex:a a prov:Activity ; prov:startTime 1 .", "startedAtTime"),
        ("turtle", "ex:a a prov:Activity ; prov:plan ex:p .", None),
        ("turtle", "ex:a a prov:activity .", "Activity"),
        ("turtle", "ex:e a prov:Entity ; prov:locations ex:p .", None),
        ("provjson", '"activity": {"ex:a": {"prov:startedAtTime": "x"}}', "startTime"),
        ("provjson", '"entity": {"ex:e": {"prov:startTime": "x"}}', None),
        ("provjson", '"entity": {"ex:e": {"prov:lable": "x"}}', "label"),
        ("provjson", '"used": {"_:u": {"prov:activity": "ex:a", "prov:entitty": "ex:e"}}', "entity"),
        ("provn", "used(ex:a, -, -, [prov:entitty='ex:e'])", None),
        ("provn", "activity(ex:a, [prov:isAssociatedWith='ex:b'])", None),
        ("provn", "entity(ex:e, [prov:type='prov:collection'])", "Collection"),
    ],
)
def test_suggestions_can_be_read_in_the_format_of_the_document(format: str, text: str, meant: str | None) -> None:  # noqa: A002
    around = {
        "turtle": PREFIXES + text,
        "provjson": f'{{"prefix": {{"ex": "http://e.org/"}}, {text}}}',
        "provn": f"document\nprefix ex <http://e.org/>\n{text}\nendDocument",
    }[format]
    report = provrepo.validate(provrepo.read(around.encode(), format=format))
    (repair,) = (
        finding.repair or "" for finding in report.findings if finding.rule in ("prov-dm:attribute", "prov-dm:term")
    )
    assert repair.partition(" Did you mean prov:")[2].rstrip("?") == (meant or "")


def test_very_many_similar_namespaces_are_counted() -> None:
    text = "".join(f"<http://e/{n}> <a{'b' * n}://www.w3.org/ns/prov#used> <http://e/b> .\n" for n in range(40))
    text += "".join(f"<http://e/{n}> <b{'a' * n}://www.w3.org/ns/prov#used> <http://e/b> .\n" for n in range(40))
    text += "".join(f"<http://e/{n}> <c{'a' * n}://www.w3.org/ns/prov#used> <http://e/b> .\n" for n in range(40))
    report = provrepo.validate(provrepo.read(text.encode(), format="ntriples"), source=text.encode())
    found = [finding for finding in report.findings if finding.rule == "prov-dm:namespace"]
    assert len(found) == 101
    assert sum(finding.occurrences for finding in found) == 120
