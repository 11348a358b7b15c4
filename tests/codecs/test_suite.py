"""The prov-suite testcases: every file of a case says the same, in whatever format, and different cases do not.

The files were written by ProvToolbox. Where one of them says something else than its siblings it is in ``KNOWN``, with
the lines that show it; nothing is in there because a codec cannot read it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations
from pathlib import Path

import pytest

from provrepo.codecs import formats
from provrepo.model import canonical
from provrepo.model.compare import compare
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, is_anonymous
from provrepo.model.statements import ALTERNATE, DictionaryEntry, Statement
from tests.support.corpus import corpus, present
from tests.support.sampling import FULL, sample

SUFFIXES = (".provn", ".json", ".provx", ".trig", ".ttl")
FORMATS = (
    *("provn", "provjson", "provxml", "provjsonld"),
    *("turtle", "trig", "ntriples", "nquads", "rdfxml", "rdfjsonld"),
)
CHANGES = 10_000 if FULL else 60
"""The most changes that are made to one document; a sample where there would be more."""

_FOLDER = present("prov-suite-testcases")
CASES = [] if _FOLDER is None else sorted(path.name for path in _FOLDER.glob("test-*"))


@dataclass(frozen=True)
class Known:
    """Files of a case that do not say what its other files say.

    Attributes:
        case: the case.
        odd: the suffixes of the files that differ from all others and agree with each other.
        why: what they lack.
        lines: by suffix, a line of a file that shows it.
    """

    case: str
    odd: tuple[str, ...]
    why: str
    lines: dict[str, str]

    def pairs(self) -> list[tuple[str, str]]:
        """The ordered pairs that differ."""
        return [pair for pair in permutations(files(self.case), 2) if (pair[0] in self.odd) != (pair[1] in self.odd)]


_NO_MEMBER = "PROV-O has no triple for a membership that lacks one end, so that nothing of it is written"

KNOWN = (
    Known(
        "test-attr_dict_insert_one_key26",
        (".trig", ".ttl"),
        "the key's namespace is the default one, which is not declared, so that nobody can know which name it is",
        {
            ".provn": "default <http://example4.org/>",
            ".ttl": '_:blank1 prov:pairKey "zabcde"^^prov:QUALIFIED_NAME ;',
            ".trig": '_:blank1 prov:pairKey "zabcde"^^prov:QUALIFIED_NAME ;',
        },
    ),
    Known(
        "test-issues_picaso-file.provn",
        (".ttl",),
        "what the bundle holds stands at the top level, since Turtle has no named graphs",
        {
            ".provn": "bundle uuid:55348dff-4fcc-4ac2-ab56-641798c64400",
            ".ttl": "eprint:363608 a prov:Entity , pic:Article ;",
        },
    ),
    Known(
        "test-issues_unification-membership-f1-FAIL-DM.provn",
        (".trig", ".ttl"),
        _NO_MEMBER,
        {".provn": "hadMember(ex:e2,-)", ".ttl": "ex:e2 a prov:Entity .", ".trig": "ex:e2 a prov:Entity ."},
    ),
    *(
        Known(
            case,
            (".trig", ".ttl"),
            _NO_MEMBER,
            {".provn": "hadMember(-,ex:e2)", ".ttl": "ex:e2 a prov:Entity .", ".trig": "ex:e2 a prov:Entity ."},
        )
        for case in (
            "test-issues_unification-membership-f2-FAIL-DM",
            "test-issues_unification-membership-f2-FAIL-DM.provn",
        )
    ),
)

ALIKE = {
    frozenset({"test-bundle1", "test-bundle3"}): "their PROV-N is the same to the byte",
    frozenset(
        {
            "test-issues_unification-membership-f1-FAIL-DM.provn",
            "test-issues_unification-membership-f2-FAIL-DM",
            "test-issues_unification-membership-f2-FAIL-DM.provn",
        }
    ): "the RDF of all three lacks the membership in which they differ (see KNOWN); the last two are one case, twice",
    **{
        frozenset({f"test-{name}-M", f"test-{name}-S"}): "their PROV-N is the same to the byte"
        for name in ("dictionaryInsertion5", "dictionaryMembership2", "dictionaryRemoval2")
    },
}
"""Cases that share what some of their files say, and why that is right."""


@cache
def files(case: str) -> dict[str, Path]:
    """The files of a case by suffix."""
    found = {path.suffix: path for path in (corpus("prov-suite-testcases") / case).iterdir()}
    return {suffix: found[suffix] for suffix in SUFFIXES if suffix in found}


@cache
def documents(case: str) -> dict[str, Document]:
    """What the files of a case say, by suffix."""
    return {suffix: formats.read(path) for suffix, path in files(case).items()}


# --- the same ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_the_files_of_a_case_say_the_same(case: str) -> None:
    known = {pair for entry in KNOWN if entry.case == case for pair in entry.pairs()}
    variants = documents(case)
    assert len(variants) >= 4
    assert not any(len(document.unmapped) for document in variants.values())
    for one, other in permutations(variants, 2):
        if (one, other) not in known:
            assert str(compare(variants[one], variants[other]).difference) == "", (one, other)


def known_pairs() -> list[object]:
    """A parameter for each pair that differs, marked with the reason and the lines that show it."""
    if _FOLDER is None:
        return []
    return [
        pytest.param(
            entry.case,
            pair,
            marks=pytest.mark.xfail(strict=True, reason=f"{entry.why}: {entry.lines}", raises=AssertionError),
            id=f"{entry.case}: {pair[0]} {pair[1]}",
        )
        for entry in KNOWN
        for pair in entry.pairs()
    ]


@pytest.mark.parametrize(("case", "pair"), known_pairs())
def test_known_differences(case: str, pair: tuple[str, str]) -> None:
    variants = documents(case)
    assert compare(variants[pair[0]], variants[pair[1]]).same


@pytest.mark.parametrize("entry", KNOWN, ids=lambda entry: entry.case)
def test_known_differences_are_shown_by_lines_of_the_files(entry: Known) -> None:
    for suffix, line in entry.lines.items():
        assert line in [each.strip() for each in files(entry.case)[suffix].read_text("utf-8").splitlines()]


def test_few_pairs_differ() -> None:
    corpus("prov-suite-testcases")
    pairs = sum(len(files(case)) * (len(files(case)) - 1) for case in CASES)
    differing = sum(len(entry.pairs()) for entry in KNOWN)
    assert pairs > 4000
    assert differing <= 0.015 * pairs


@pytest.mark.slow
@pytest.mark.parametrize("case", sample(CASES, 80))
def test_a_case_survives_every_format(case: str) -> None:
    variants = documents(case)
    # Which file is taken changes with the case: they say the same.
    document = variants[list(variants)[CASES.index(case) % len(variants)]]
    for name in FORMATS:
        lost = formats.losses(document, name)
        difference = compare(document, formats.read(document.write(name), format=name)).difference
        assert bool(lost) or str(difference) == "", (name, lost)


# --- not the same -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", sample(CASES, 80))
def test_a_document_with_one_thing_changed_says_something_else(case: str) -> None:
    for suffix, document in documents(case).items():
        made = list(changes(document))
        if len(made) > CHANGES:
            made = random.Random(case).sample(made, CHANGES)
        for what, other in made:
            assert not compare(document, other).same, (suffix, what)


def test_different_cases_say_different_things() -> None:
    corpus("prov-suite-testcases")
    similar: dict[frozenset[str], list[tuple[str, Document]]] = {}
    for case in CASES:
        for document in documents(case).values():
            similar.setdefault(statements_of(document), []).append((case, document))
    suspects = [pair for group in similar.values() for pair in combinations(group, 2)]
    same = {frozenset((a, b)) for (a, one), (b, other) in suspects if a != b and compare(one, other).same}
    assert same == {frozenset(pair) for similar in ALIKE for pair in combinations(sorted(similar), 2)}


def statements_of(document: Document) -> frozenset[str]:
    """What a document says where nothing tells one anonymous thing from another: the same if it says the same."""
    lines = set()
    for instance in document.instances():
        where = canonical.identifier(instance.id, {}) if instance.id else ""
        for each in canonical.separated(canonical.merged(instance.statements)):
            unnamed = {name: "" for name in canonical.mentioned(each) if is_anonymous(name)}
            lines.add(f"{canonical.line(each, unnamed)} in {where}")
    return frozenset(lines)


def changes(document: Document) -> Iterator[tuple[str, Document]]:
    """The document with one identifier, value, time or direction changed, each with what was changed."""
    for number, instance in enumerate(document.instances()):
        for index, statement in enumerate(instance.statements):
            for what, other in variants(statement):
                statements = [*instance.statements]
                statements[index] = other
                yield f"{what} of {statement!r}", replaced(document, number, statements)


def replaced(document: Document, number: int, statements: list[Statement]) -> Document:
    """The document with other statements in its n-th instance."""
    if number == 0:
        return Document(statements, document.bundles, document.prefixes)
    bundles = [*document.bundles]
    bundles[number - 1] = Bundle(bundles[number - 1].id, statements)
    return Document(document.statements, bundles, document.prefixes)


def variants(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """The statement with one thing changed."""
    kind, own, args = statement.kind, statement.id, statement.args
    attributes, entries = statement.attributes, statement.entries
    if own is not None and not is_anonymous(own):
        yield "identifier", Statement(kind, Identifier(own + "x"), args, attributes, entries=entries)
    for place, term in enumerate(args):
        if term is not None and not is_anonymous(term):
            changed = Identifier(term + "x") if isinstance(term, Identifier) else "1815-12-10T00:00:00Z"
            others = (*args[:place], changed, *args[place + 1 :])
            yield f"argument {place}", Statement(kind, own, others, attributes, entries=entries)
    # What is an alternate of something is so both ways (PROV-CONSTRAINTS, inference 18).
    if kind is not ALTERNATE and not kind.element and args[0] != args[1]:
        yield "direction", Statement(kind, own, (args[1], args[0], *args[2:]), attributes, entries=entries)
    for place, (name, value) in enumerate(attributes):
        for changed_value in other_values(value):
            pairs = (*attributes[:place], (name, changed_value), *attributes[place + 1 :])
            yield f"value of {name}", Statement(kind, own, args, pairs, entries=entries)
    for place, (key, entity) in enumerate(entries):
        found = [DictionaryEntry(other, entity) for other in other_values(key)]
        if entity is not None:
            found.append(DictionaryEntry(key, Identifier(entity + "x")))
        for entry in found:
            keyed = (*entries[:place], entry, *entries[place + 1 :])
            yield f"entry {place}", Statement(kind, own, args, attributes, entries=keyed)


def other_values(value: Value) -> list[Value]:
    """Values that differ in spelling, in datatype or in language."""
    if not isinstance(value, Literal):
        return [] if is_anonymous(value) else [Identifier(value + "x"), Literal(value)]
    found: list[Value] = [value._replace(lexical=value.lexical + "1")]
    if value.language is None:
        return [*found, value._replace(datatype="http://example.org/another")]
    return [*found, value._replace(language="mi")]
