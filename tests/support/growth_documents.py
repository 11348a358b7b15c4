"""Documents with many statements, values or names of one kind, for ``tests.support.growth``."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, text
from provrepo.model.statements import KINDS, Attribute, DictionaryEntry, Statement
from provrepo.vocab import PROV, PROV_LABEL, PROV_TYPE, XSD_STRING

__all__ = ["DOCUMENTS", "EX", "big_and_small", "blank_pairs", "document", "entity", "ex", "one_id"]

EX = "http://example.org/"
TIME = "2024-01-01T00:00:00Z"


def ex(name: object) -> Identifier:
    """An identifier in the example namespace."""
    return Identifier(f"{EX}{name}")


def make(kind: str, *args: str | None, id: Identifier | None = None, say: tuple[Attribute, ...] = ()) -> Statement:  # noqa: A002
    """A statement."""
    found = KINDS[kind]
    return Statement(found, id, (*args, *[None] * (len(found.arguments) - len(args))), say)


def entity(name: object, *say: Attribute) -> Statement:
    """An entity with attributes."""
    return make("entity", id=ex(name), say=say)


def document(*statements: Statement, bundles: list[Bundle] | None = None, **prefixes: str) -> Document:
    """A document with the prefix ``ex`` and others."""
    return Document(list(statements), bundles or [], {"ex": EX, **prefixes})


def pair(name: object, value: object) -> Attribute:
    """An attribute with a string."""
    return ex(name), text(str(value))


def relation(kind: str, **more: str) -> Callable[[int], Document]:
    """A chain of one kind of relation: n1 to n0, n2 to n1 …"""
    return lambda n: document(*(make(kind, ex(f"n{i + 1}"), ex(f"n{i}"), **more) for i in range(n)))


def star(kind: str, *, turned: bool = False) -> Callable[[int], Document]:
    """Many relations of one kind with the same subject."""
    if turned:
        return lambda n: document(*(make(kind, ex(f"n{i}"), ex("hub")) for i in range(n)))
    return lambda n: document(*(make(kind, ex("hub"), ex(f"n{i}")) for i in range(n)))


def ring(kind: str) -> Callable[[int], Document]:
    """A cycle of relations of one kind."""
    return lambda n: document(*(make(kind, ex(f"n{i}"), ex(f"n{(i + 1) % n}")) for i in range(n)))


def bundled(n: int, prefixes: bool) -> Document:
    """Many bundles with one statement each."""
    bundles = [
        Bundle(ex(f"b{i}"), [entity(f"e{i}")], {f"p{i % 1_900}": f"http://p{i % 1_900}.example/"} if prefixes else {})
        for i in range(n)
    ]
    return document(bundles=bundles)


def one_id(kind: str, vary: str) -> Callable[[int], Document]:
    """Many statements with one identifier, which can be merged or not."""

    def made(n: int) -> Document:
        name = ex("r")
        if vary == "attributes":
            return document(*(make(kind, ex("a"), ex("b"), id=name, say=(pair(f"k{i}", i),)) for i in range(n)))
        if vary == "same":
            return document(*(make(kind, ex("a"), ex("b"), id=name) for _ in range(n)))
        if vary == "anonymous":
            return document(*(make(kind, ex("a"), None, id=Identifier(f"_:r{i}")) for i in range(n)))
        return document(*(make(kind, ex("a"), ex(f"b{i}"), id=name) for i in range(n)))

    return made


def big_and_small(n: int, name: Identifier) -> Document:
    """One statement about a thing with many attributes, and many statements about it with few."""
    big = make("entity", id=name, say=tuple(pair(f"k{i}", i) for i in range(n)))
    return document(big, *(make("entity", id=name, say=(pair("x", i),)) for i in range(n)))


def dictionary(n: int, kind: str) -> Document:
    """One statement of PROV-Dictionary with many keys."""
    entries = tuple(
        DictionaryEntry(text(f"k{i}"), ex(f"e{i}") if kind == "derivedByInsertionFrom" else None) for i in range(n)
    )
    return document(Statement(KINDS[kind], None, (ex("d2"), ex("d1")), entries=entries))


def complete(n: int, *, both: bool) -> Document:
    """Activities that all use one thing, or one activity that used all and generated all."""
    if both:
        used = [make("used", ex("a"), ex(f"u{i}"), TIME) for i in range(n)]
        return document(*used, *(make("wasGeneratedBy", ex(f"g{i}"), ex("a"), TIME) for i in range(n)))
    return document(
        make("wasGeneratedBy", ex("e"), ex("a"), TIME), *(make("used", ex(f"a{i}"), ex("e"), TIME) for i in range(n))
    )


def many_to_many(n: int) -> Document:
    """One entity with many generating activities and many usages."""
    made = [make("wasGeneratedBy", ex("e"), ex(f"m{i}")) for i in range(n)]
    return document(*made, *(make("used", ex(f"a{i}"), ex("e")) for i in range(n)))


def events(n: int) -> Document:
    """A chain of activities with times, generations and usages."""
    made = []
    for i in range(n):
        made += [
            make("activity", TIME, TIME, id=ex(f"a{i}")),
            make("used", ex(f"a{i}"), ex(f"e{i}"), TIME, id=ex(f"u{i}")),
            make("wasGeneratedBy", ex(f"e{i + 1}"), ex(f"a{i}"), TIME, id=ex(f"g{i}")),
            make("wasDerivedFrom", ex(f"e{i + 1}"), ex(f"e{i}"), ex(f"a{i}"), ex(f"g{i}"), ex(f"u{i}")),
        ]
    return document(*made)


def starts(n: int) -> Document:
    """One activity that is started and ended many times."""
    made = []
    for i in range(n):
        made += [make("wasStartedBy", ex("a"), ex(f"t{i}"), ex(f"s{i}")), make("wasEndedBy", ex("a"), ex(f"x{i}"))]
    return document(*made)


def starts_named(n: int) -> Document:
    """One activity that is started many times, at different times, by one activity."""
    return document(
        *(
            make("wasStartedBy", ex("a"), None, ex("s"), f"2024-01-01T00:00:00.{i:06}Z", id=ex(f"s{i}"))
            for i in range(n)
        )
    )


def generations(n: int) -> Document:
    """One thing that one activity generated many times: PROV-CONSTRAINTS 24 merges them."""
    return document(*(make("wasGeneratedBy", ex("e"), ex("a"), id=ex(f"g{i}")) for i in range(n)))


def contradictions(n: int) -> Document:
    """One thing with many generations at different times."""
    return document(
        *(make("wasGeneratedBy", ex("e"), ex("a"), f"2024-01-01T00:00:00.{i:06}Z", id=ex(f"g{i}")) for i in range(n))
    )


def wrong_times(n: int) -> Document:
    """Many activities that end before they start."""
    return document(*(make("activity", "2024-01-02T00:00:00Z", TIME, id=ex(f"a{i}")) for i in range(n)))


def impossible(n: int) -> Document:
    """Many things that are an entity and an activity."""
    return document(*itertools.chain(*((entity(i), make("activity", id=ex(i))) for i in range(n))))


def collections(n: int) -> Document:
    """An empty collection with many members."""
    empty = entity("c", (Identifier(PROV_TYPE), Identifier(PROV + "EmptyCollection")))
    return document(empty, *(make("hadMember", ex("c"), ex(f"e{i}")) for i in range(n)))


def prefixes(n: int) -> Document:
    """The largest allowed number of prefixes, each of them used."""
    count = 1_900
    declared = {f"p{i}": f"http://p{i}.example/" for i in range(count)}
    return document(*(make("entity", id=Identifier(f"http://p{i % count}.example/{i}")) for i in range(n)), **declared)


def namespaces(n: int) -> Document:
    """Names in as many namespaces as there are names."""
    return document(*(make("entity", id=Identifier(f"http://h{i}.example/a/b#c")) for i in range(n)))


def long_names(n: int) -> Document:
    """One name with very many positions at which it can be split into prefix and local name."""
    return document(make("entity", id=Identifier("http://h.example/" + "a/" * n)))


def cut_names(n: int) -> Document:
    """A prefix for each length of a name, so that many prefixes match each name."""
    count = 500
    return document(
        *(make("entity", id=Identifier("http://h.example/" + "a" * (i % count) + f"({i}")) for i in range(n)),
        **{f"p{i}": "http://h.example/" + "a" * i for i in range(count)},
    )


def string(n: int, what: str) -> Document:
    """One long string."""
    return document(entity("e", (Identifier(PROV_LABEL), Literal(what * n, XSD_STRING))))


def languages(n: int) -> Document:
    """A label in many languages."""
    return document(entity("e", *((Identifier(PROV_LABEL), text("x", f"en-x-{i:07}")) for i in range(n))))


def blank_chain(n: int, kind: str = "wasDerivedFrom") -> Document:
    """A chain of blank nodes."""
    return document(*(make(kind, Identifier(f"_:n{i + 1}"), Identifier(f"_:n{i}")) for i in range(n)))


def blank_stars(n: int) -> Document:
    """Indistinguishable blank nodes around one thing."""
    return document(*(make("wasDerivedFrom", ex("hub"), Identifier(f"_:n{i}")) for i in range(n)))


def blank_pairs(n: int) -> Document:
    """Many separate, indistinguishable pairs of blank nodes."""
    return document(*(make("wasDerivedFrom", Identifier(f"_:a{i}"), Identifier(f"_:b{i}")) for i in range(n)))


def agents(n: int) -> Document:
    """One activity with many agents, and plans."""
    made = [make("wasAssociatedWith", ex("a"), ex(f"g{i}"), ex(f"p{i}")) for i in range(n)]
    return document(*made, *(make("actedOnBehalfOf", ex(f"g{i + 1}"), ex(f"g{i}"), ex("a")) for i in range(n)))


def agent_badges(n: int) -> Document:
    """One entity that is attributed to many agents."""
    return document(*(make("wasAttributedTo", ex("e"), ex(f"g{i}")) for i in range(n)))


def mentions(n: int) -> Document:
    """Mentions in bundles."""
    return document(*(make("mentionOf", ex(f"s{i}"), ex(f"g{i}"), ex("b")) for i in range(n)))


def elements(n: int, *, say: int = 0) -> Document:
    """Many things."""
    return document(*(entity(i, *(pair(f"k{j}", j) for j in range(say))) for i in range(n)))


def attributes(kind: str, *args: str, how: str = "names") -> Callable[[int], Document]:
    """Many attributes of one statement."""

    def made(n: int) -> Document:
        say = {
            "names": lambda i: pair(f"k{i}", i),
            "values": lambda i: pair("k", i),
            "types": lambda i: (Identifier(PROV_TYPE), ex(f"T{i}")),
            "same": lambda _: pair("k", "v"),
            "labels": lambda i: (Identifier(PROV_LABEL), text(f"label {i}")),
            "locations": lambda i: (Identifier(PROV + "atLocation"), ex(f"l{i}")),
            "roles": lambda i: (Identifier(PROV + "hadRole"), ex(f"r{i}")),
        }[how]
        terms = [ex(a) for a in args]
        return document(make(kind, *terms, id=ex("e"), say=tuple(say(i) for i in range(n))))

    return made


def repeated(n: int) -> Document:
    """Many copies of one statement."""
    return document(*(make("used", ex("a"), ex("e")) for _ in range(n)))


DOCUMENTS: dict[str, Callable[[int], Document]] = {
    **{
        f"attributes of an entity: {how}": attributes("entity", how=how)
        for how in ("names", "values", "types", "same", "labels", "locations")
    },
    "attributes of an activity": attributes("activity"),
    "attributes of a usage": attributes("used", "a", "b"),
    "roles of a usage": attributes("used", "a", "b", how="roles"),
    "attributes of a derivation": attributes("wasDerivedFrom", "a", "b"),
    "elements": elements,
    "elements with attributes": lambda n: elements(n // 4 + 1, say=4),
    "one statement again": repeated,
    **{
        f"usages of one name: {vary}": one_id("used", vary) for vary in ("attributes", "same", "arguments", "anonymous")
    },
    **{f"derivations of one name: {vary}": one_id("wasDerivedFrom", vary) for vary in ("attributes", "arguments")},
    "one large description and many small": lambda n: big_and_small(n, ex("e")),
    "the same of a blank node": lambda n: big_and_small(n, Identifier("_:e")),
    "descriptions of one entity": lambda n: document(*(entity("e", pair(f"k{i}", i)) for i in range(n))),
    **{
        f"chain of {kind}": relation(kind)
        for kind in (
            "wasDerivedFrom",
            "specializationOf",
            "alternateOf",
            "wasInformedBy",
            "actedOnBehalfOf",
            "hadMember",
            "wasInfluencedBy",
        )
    },
    **{
        f"star of {kind}": star(kind)
        for kind in (
            "wasDerivedFrom",
            "specializationOf",
            "alternateOf",
            "hadMember",
            "used",
            "wasGeneratedBy",
            "wasAttributedTo",
            "wasInfluencedBy",
            "wasInformedBy",
            "wasInvalidatedBy",
        )
    },
    **{
        f"turned star of {kind}": star(kind, turned=True)
        for kind in (
            "wasDerivedFrom",
            "specializationOf",
            "alternateOf",
            "used",
            "wasAssociatedWith",
            "wasAttributedTo",
            "wasGeneratedBy",
        )
    },
    **{
        f"ring of {kind}": ring(kind)
        for kind in ("wasDerivedFrom", "specializationOf", "alternateOf", "wasInformedBy", "actedOnBehalfOf")
    },
    "bundles": lambda n: bundled(n, prefixes=False),
    "bundles with prefixes": lambda n: bundled(n, prefixes=True),
    "bundles of one name": lambda n: document(bundles=[Bundle(ex("b"), [entity(i)]) for i in range(n)]),
    "empty bundles": lambda n: document(bundles=[Bundle(ex(f"b{i}")) for i in range(n)]),
    "bundles and prefixes of the document": lambda n: document(
        bundles=[Bundle(ex(f"b{i}"), [entity(i)]) for i in range(n)],
        **{f"p{i}": f"http://p{i}.example/" for i in range(1_900)},
    ),
    "dictionary insertion": lambda n: dictionary(n, "derivedByInsertionFrom"),
    "dictionary removal": lambda n: dictionary(n, "derivedByRemovalFrom"),
    "dictionary members": lambda n: document(
        *(
            Statement(
                KINDS["hadDictionaryMember"], None, (ex("d"), ex(f"e{i}")), entries=(DictionaryEntry(text(f"k{i}")),)
            )
            for i in range(n)
        )
    ),
    "users of one thing": lambda n: complete(n, both=False),
    "usages and generations of one activity": lambda n: complete(n, both=True),
    "makers and users of one thing": many_to_many,
    "events": events,
    "starts and ends": starts,
    "starts at different times": starts_named,
    "generations to merge": generations,
    "generations at different times": contradictions,
    "ends before starts": wrong_times,
    "entities that are activities": impossible,
    "members of an empty collection": collections,
    "prefixes": prefixes,
    "namespaces": namespaces,
    "a long name": long_names,
    "prefixes of every length": cut_names,
    **{
        f"a string of {name}": (lambda n, what=what: string(n, what))
        for name, what in {
            "letters": "a",
            "quotation marks": '"',
            "backslashes": "\\",
            "line ends": "\n",
            "controls": "\x7f",
            "spaces": " ",
            "angles": "<&>",
            "brackets": "]]>",
            "emoji": "\U0001f600",
            "apostrophes": "'''",
        }.items()
    },
    "languages": languages,
    "chain of blank nodes": blank_chain,
    "blank nodes around one": blank_stars,
    "pairs of blank nodes": blank_pairs,
    "agents": agents,
    "agents of one thing": agent_badges,
    "mentions": mentions,
}
"""The families of documents, as functions of a size."""
