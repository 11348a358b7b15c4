"""Comparison explains: what is changed and where, whatever blank nodes are called, in bounded time."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import TooLarge
from provrepo.model.compare import compare
from provrepo.model.difference import ChangedStatement
from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, is_anonymous, text
from provrepo.model.statements import (
    ACTIVITY,
    ALTERNATE,
    ASSOCIATION,
    DERIVATION,
    ENTITY,
    USAGE,
    Attribute,
    DictionaryEntry,
    Statement,
    Term,
)
from provrepo.vocab import XSD
from tests.support.sampling import examples
from tests.support.strategies import documents

EX = "http://example.org/"


def ex(local: str) -> Identifier:
    return Identifier(EX + local)


def blank(number: object) -> Identifier:
    return Identifier(f"_:n{number}")


def document(*statements: Statement, prefix: str = "ex") -> Document:
    return Document(list(statements), prefixes={prefix: EX})


def derived(new: Identifier, old: Identifier) -> Statement:
    return Statement(DERIVATION, None, (new, old, None, None, None))


def ring(size: int, first: int = 0) -> list[Statement]:
    return [derived(blank(first + i), blank(first + (i + 1) % size)) for i in range(size)]


class TestDifferences:
    def test_a_changed_attribute(self) -> None:
        def sample(size: str) -> Document:
            return document(
                Statement(
                    ENTITY, ex("e"), (), ((ex("size"), Literal(size, XSD + "int")), (ex("note"), text("n", "en")))
                )
            )

        found = compare(sample("7"), sample("8")).difference
        change = ChangedStatement("entity", "ex:e", ('ex:size "7" %% xsd:int',), ('ex:size "8" %% xsd:int',))
        assert (found.left, found.right, found.changed) == ((), (), (change,))
        assert str(found) == '~ entity(ex:e)\n  - ex:size "7" %% xsd:int\n  + ex:size "8" %% xsd:int'

    def test_a_time_that_only_one_side_has(self) -> None:
        start = "2020-01-01T00:00:00Z"
        left = document(Statement(ACTIVITY, ex("a"), (start, None)))
        right = document(Statement(ACTIVITY, ex("a"), (None, None)))
        (change,) = compare(left, right).difference.changed
        assert change == ChangedStatement("activity", "ex:a", (f"startTime {start}",), ())

    def test_an_argument_of_a_relation_without_identifier(self) -> None:
        left = document(Statement(ASSOCIATION, None, (ex("a"), ex("g"), ex("p"))))
        right = document(Statement(ASSOCIATION, None, (ex("a"), ex("g"), ex("q"))))
        (change,) = compare(left, right).difference.changed
        assert change == ChangedStatement("wasAssociatedWith", "ex:a, ex:g", ("plan ex:p",), ("plan ex:q",))

    def test_a_relation_between_other_things_is_another_relation(self) -> None:
        left, right = (document(Statement(USAGE, None, (ex("a"), ex(e), None))) for e in "ef")
        found = compare(left, right).difference
        assert (found.left, found.right, found.changed) == (("used(ex:a, ex:e, -)",), ("used(ex:a, ex:f, -)",), ())

    def test_each_document_is_shown_with_its_own_prefixes_first(self) -> None:
        left = document(Statement(ENTITY, ex("l")), prefix="mine")
        right = Document([Statement(ENTITY, ex("r")), Statement(ENTITY, Identifier("urn:x:y"))])
        found = compare(left, right).difference
        assert found.left == ("entity(mine:l)",)
        assert found.right == ("entity(<urn:x:y>)", "entity(mine:r)")

    def test_prefixes_alone_are_no_difference(self) -> None:
        stated = Statement(ENTITY, ex("e"), (), ((ex("p"), ex("q")),))
        assert compare(document(stated, prefix="a"), document(stated, prefix="b")).same

    def test_the_bundle_is_named(self) -> None:
        left = Document(bundles=[Bundle(ex("b"), [Statement(ENTITY, ex("e"))])], prefixes={"ex": EX})
        found = compare(left, Document(bundles=[Bundle(ex("b"), [])], prefixes={"ex": EX})).difference
        assert found.left == ("entity(ex:e) in bundle ex:b",)

    def test_a_difference_at_a_blank_node_is_located_and_does_not_spread(self) -> None:
        def sample(label: str, *names: str) -> Document:
            a, b, c = map(blank, names)
            note = (ex("note"), text(label))
            return document(derived(a, b), derived(b, c), Statement(ENTITY, b, (), (note,)), Statement(ENTITY, a))

        found = compare(sample("x", "1", "2", "3"), sample("y", "7", "8", "9")).difference
        assert found.left == ('entity(_:n2, [ex:note="x"])',)
        assert found.right == ('entity(_:n8, [ex:note="y"])',)


class TestBlankNodes:
    def test_two_triangles_are_no_hexagon(self) -> None:
        found = compare(document(*ring(3), *ring(3, 10)), document(*ring(6)))
        assert not found.same
        assert found.difference

    def test_a_ring_is_itself_however_it_is_turned(self) -> None:
        assert compare(document(*ring(6)), document(*ring(6, 40)[::-1])).same
        assert compare(document(*ring(3), *ring(3, 10)), document(*ring(3, 20), *ring(3, 30))).same

    def test_rings_as_undirected_graphs(self) -> None:
        def both(statements: list[Statement]) -> Document:
            return document(*(Statement(ALTERNATE, None, s.args[:2]) for s in statements))

        assert not compare(both([*ring(4), *ring(4, 10)]), both(ring(8))).same
        assert compare(both(ring(8)), both(ring(8, 10)[3:] + ring(8, 10)[:3])).same

    def test_how_many_matters(self) -> None:
        def several(count: int) -> Document:
            return document(*(Statement(ENTITY, blank(number)) for number in range(count)))

        assert compare(several(3), several(3)).same
        assert not compare(several(3), several(2)).same

    def test_blank_nodes_hold_bundles_and_the_top_level_together(self) -> None:
        def sample(inside: Identifier) -> Document:
            stated = [Statement(ENTITY, blank(name), (), ((ex("n"), text(str(name))),)) for name in (1, 2)]
            return Document(stated, [Bundle(ex("b"), [derived(ex("e"), inside)])])

        assert compare(sample(blank(1)), sample(blank(1))).same
        assert not compare(sample(blank(1)), sample(blank(2))).same

    def test_a_blank_name_of_a_bundle_does_not_matter(self) -> None:
        one, other = (Document(bundles=[Bundle(blank(n), [Statement(ENTITY, ex("e"))])]) for n in (1, 2))
        assert compare(one, other).same

    def test_many_that_are_alike_take_no_search(self) -> None:
        left = document(*(derived(blank(n), ex("e")) for n in range(5_000)))
        right = document(*(derived(blank(n), ex("e")) for n in range(9_999, 4_999, -1)))
        assert compare(left, right).same

    def test_a_long_chain_is_matched_within_the_budget(self) -> None:
        left = document(*(derived(blank(n), blank(n + 1)) for n in range(3_000)))
        right = document(*(derived(blank(n + 1), blank(n)) for n in range(3_000)))
        assert compare(left, right, max_steps=100_000).same

    def test_a_search_without_end_is_ended(self) -> None:
        # Strongly regular: every pair looks like every other, however the colours are refined.
        def rook(size: int) -> Document:
            cells = [(row, column) for row in range(size) for column in range(size)]
            return document(
                *(
                    Statement(ALTERNATE, None, (blank(f"{a}{b}"), blank(f"{c}{d}")))
                    for a, b in cells
                    for c, d in cells
                    if (a == c) != (b == d)
                )
            )

        with pytest.raises(TooLarge, match="blank nodes"):
            compare(rook(5), rook(5), max_steps=100)

    def test_the_rook_and_shrikhande_graphs_are_told_apart(self) -> None:
        # Both strongly regular with parameters (16, 6, 2, 2): no refinement of single nodes tells them apart.
        cells = [(row, column) for row in range(4) for column in range(4)]

        def graph(linked: Callable[[int, int], bool], order: list[int]) -> Document:
            names = {cell: blank(order[place]) for place, cell in enumerate(cells)}
            return document(
                *(
                    Statement(ALTERNATE, None, (names[one], names[other]))
                    for one in cells
                    for other in cells
                    if linked((one[0] - other[0]) % 4, (one[1] - other[1]) % 4)
                )
            )

        def rook(rows: int, columns: int) -> bool:
            return (rows == 0) != (columns == 0)

        def shrikhande(rows: int, columns: int) -> bool:
            return (rows, columns) in {(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)}

        mixed = random.Random(4).sample(range(16), 16)
        straight = list(range(16))
        assert compare(graph(rook, straight), graph(rook, mixed)).same
        assert compare(graph(shrikhande, straight), graph(shrikhande, mixed)).same
        assert not compare(graph(rook, straight), graph(shrikhande, mixed)).same


def renamed(original: Document, names: Callable[[str], Identifier]) -> Document:
    """The document with other names for its anonymous identifiers."""

    def other(term: Term) -> Term:
        return names(term) if isinstance(term, Identifier) and is_anonymous(term) else term

    def value(sample: Value) -> Value:
        return names(sample) if isinstance(sample, Identifier) and is_anonymous(sample) else sample

    def statement(s: Statement) -> Statement:
        own = names(s.id) if s.id is not None and is_anonymous(s.id) else s.id
        attributes: tuple[Attribute, ...] = tuple((name, value(sample)) for name, sample in s.attributes)
        entries = tuple(
            DictionaryEntry(value(key), None if e is None else Identifier(str(other(e)))) for key, e in s.entries
        )
        return Statement(s.kind, own, tuple(map(other, s.args)), attributes, None, entries)

    return Document(
        [statement(s) for s in original.statements],
        [Bundle(b.id, [statement(s) for s in b.statements]) for b in original.bundles],
    )


@st.composite
def tangled(draw: st.DrawFn) -> Document:
    """A document in which some identifiers are blank."""
    drawn = draw(documents())
    return renamed_some(drawn, draw(st.integers(0, 7)))


def renamed_some(drawn: Document, salt: int) -> Document:
    """Every fourth identifier, or so, becomes a blank node."""

    def chosen(name: str) -> Identifier:
        return Identifier(f"_:c{sum(map(ord, name))}") if (len(name) + salt) % 4 == 0 else Identifier(name)

    def term(sample: Term) -> Term:
        return chosen(sample) if isinstance(sample, Identifier) else sample

    def statement(s: Statement) -> Statement:
        own = chosen(s.id) if s.id is not None else None
        return Statement(s.kind, own, tuple(map(term, s.args)), s.attributes, None, s.entries)

    return Document(
        [statement(s) for s in drawn.statements],
        [Bundle(b.id, [statement(s) for s in b.statements]) for b in drawn.bundles],
    )


@settings(max_examples=examples(40), deadline=None)
@given(tangled(), st.randoms(use_true_random=False))
def test_names_of_blank_nodes_and_order_do_not_matter(original: Document, chance: random.Random) -> None:
    numbers: dict[str, Identifier] = {}

    def fresh(name: str) -> Identifier:
        return numbers.setdefault(name, Identifier(f"_:x{chance.random()}-{len(numbers)}"))

    again = renamed(original, fresh)
    chance.shuffle(again.statements)
    for bundle in again.bundles:
        chance.shuffle(bundle.statements)
    chance.shuffle(again.bundles)
    found = compare(original, again)
    assert found.same, str(found.difference)
    assert compare(again, original).same


@settings(max_examples=examples(40), deadline=None)
@given(tangled(), st.randoms(use_true_random=False))
def test_one_value_changed_is_a_difference(original: Document, chance: random.Random) -> None:
    places = [i for i, s in enumerate(original.statements) if s.id is not None and s.kind.attributed]
    if not places:
        return
    place = chance.choice(places)
    stated = original.statements[place]
    more = (*stated.attributes, (ex("surely-new"), text("value")))
    mutated = Statement(stated.kind, stated.id, stated.args, more, None, stated.entries)
    statements = [*original.statements]
    statements[place] = mutated
    found = compare(original, Document(statements, original.bundles))
    assert not found.same
    assert found.difference
    assert "surely-new" in str(found.difference)
    back = compare(Document(statements, original.bundles), original)
    assert (back.same, bool(back.difference)) == (False, True)
