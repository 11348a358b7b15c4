"""Random documents for the property tests of every codec.

``documents()`` draws from all of PROV-DM, and from spellings that are difficult for codecs. Parameters switch off
what a format or a test cannot represent, so that each exception is visible in the test. Strategies are made once: to
make and validate them for each example would take longer than all the rest of a test.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from provrepo.model.document import Bundle, Document
from provrepo.model.identifiers import Identifier, Literal, Value, text
from provrepo.model.statements import KINDS, Attribute, DictionaryEntry, EntryForm, Kind, Statement, Term
from provrepo.vocab import (
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    PROV_VALUE,
    XSD,
)

EX = "http://example.org/"
NAMESPACES = (EX, "http://example.org/ns#", "https://data.example/a/b?c=", "urn:uuid:")

PLAIN_LOCAL = ("a", "b", "e1", "e2", "run_7", "Data-Set", "v1.2", "été")
AWKWARD_LOCAL = (
    "",
    "7",
    "-x",
    "x.",
    ".x",
    "a=b",
    "it's",
    "f(x,y)",
    "a:b",
    "a;b",
    "a%20b",
    "a//b",
    "/b",
    "//b",
    "/*b*/",
    "*/",
    "a?b=c&d",
    "~u@h!$+*",
    "日本",
    "a\u00b7b",
    "-",
    "entity",
    "endDocument",
    "2012-03-31",
)

TIMES = (
    "2011-11-16T16:05:00",
    "2011-11-16T16:05:00Z",
    "2011-11-16T16:05:00+00:00",
    "2011-11-16T16:05:00.1200-05:30",
)
ODD_TIMES = (
    "-0044-03-15T12:00:00Z",
    "12011-11-16T24:00:00Z",
)

TYPED = (
    ("007", "integer"),
    ("+7", "int"),
    ("123456789012345678901234567890", "integer"),
    ("1.10", "decimal"),
    ("1E3", "double"),
    ("INF", "double"),
    ("NaN", "float"),
    ("1", "boolean"),
    ("true", "boolean"),
    ("2011-11-16T16:05:00+00:00", "dateTime"),
    ("2011-11-16", "date"),
    ("PT0S", "duration"),
    ("http://example.org/a?b#c", "anyURI"),
    ("AAEC", "base64Binary"),
    ("", "token"),
    ("not a number", "integer"),
)

STRINGS = (
    "",
    " ",
    "plain",
    'say "hello"',
    'ends with "',
    '"""',
    "it's",
    "back\\slash",
    "ends with \\",
    "\\n is not a newline",
    "two\nlines",
    "tab\there",
    "// no comment",
    "/* no comment */",
    "%% xsd:int",
    "<a>&amp;</a>]]>",
    "日本語",
    "e\u0301 and \u00e9",
    "\U0001f33e",
    "line\u2028separator",
    " spaces around ",
)

LANGUAGES = ("en", "fr", "pt-BR", "zh-Hant")


@cache
def identifiers(*, awkward: bool = True) -> st.SearchStrategy[Identifier]:
    """IRIs in a few namespaces; ``awkward`` ones need escapes or cannot be split into prefix and local name well."""
    locals_ = PLAIN_LOCAL + (AWKWARD_LOCAL if awkward else ())
    return st.builds(lambda n, x: Identifier(n + x), st.sampled_from(NAMESPACES), st.sampled_from(locals_))


@cache
def strings(*, controls: bool = False) -> st.SearchStrategy[str]:
    """Text. ``controls`` adds carriage returns and other controls, which XML cannot represent or normalizes."""
    drawn = st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\n\t"),
        max_size=12,
    )
    plain = st.sampled_from(STRINGS) | drawn
    return plain | st.sampled_from(("carriage\rreturn", "\r\n", "bell\x07", "\x08\x0c")) if controls else plain


@cache
def literals(*, controls: bool = False, languages: bool = True) -> st.SearchStrategy[Literal]:
    """Strings, strings with a language, and typed literals in spellings that must not be normalized."""
    spelled = st.sampled_from([Literal(lexical, XSD + local) for lexical, local in TYPED])
    own = st.builds(lambda lexical: Literal(lexical, EX + "datatype"), strings(controls=controls))
    plain = st.builds(text, strings(controls=controls))
    tagged = st.builds(text, strings(controls=controls), st.sampled_from(LANGUAGES))
    return st.one_of(plain, spelled, own, tagged) if languages else st.one_of(plain, spelled, own)


_ROLES = {"wasGeneratedBy", "used", "wasStartedBy", "wasEndedBy", "wasInvalidatedBy", "wasAssociatedWith"}
_LOCATIONS = (_ROLES - {"wasAssociatedWith"}) | {"entity", "activity", "agent"}


@cache
def _attributes(
    kind: str, *, awkward: bool, controls: bool, languages: bool
) -> st.SearchStrategy[tuple[Attribute, ...]]:
    names = identifiers(awkward=awkward)
    literal = literals(controls=controls, languages=languages)
    value: st.SearchStrategy[Value] = literal | names
    strings_only = st.builds(text, strings(controls=controls))
    choices: list[st.SearchStrategy[Attribute]] = [
        st.tuples(st.just(Identifier(PROV_TYPE)), names | literal),
        st.tuples(st.just(Identifier(PROV_LABEL)), strings_only),
        st.tuples(names, value),
    ]
    if kind in _ROLES:
        choices.append(st.tuples(st.just(Identifier(PROV_ROLE)), value))
    if kind in _LOCATIONS:
        choices.append(st.tuples(st.just(Identifier(PROV_LOCATION)), value))
    if kind == "entity":
        choices.append(st.tuples(st.just(Identifier(PROV_VALUE)), literal))
    return st.lists(st.one_of(choices), max_size=4).map(_with_one_value)


def _with_one_value(pairs: list[Attribute]) -> tuple[Attribute, ...]:
    """The pairs with one prov:value at most (PROV-DM section 5.7.2.5)."""
    values_seen = [pair for pair in pairs if pair[0] == PROV_VALUE]
    return tuple(pair for pair in pairs if pair[0] != PROV_VALUE or pair is values_seen[0])


@cache
def _entries(
    shape: EntryForm, *, awkward: bool, controls: bool, languages: bool, missing: bool
) -> st.SearchStrategy[tuple[DictionaryEntry, ...]]:
    names = identifiers(awkward=awkward)
    keys = literals(controls=controls, languages=languages) | names
    if shape is EntryForm.PAIRS:
        return st.lists(st.builds(DictionaryEntry, keys, names), max_size=3, unique=True).map(tuple)
    least, most = (0 if missing else 1, 1) if shape is EntryForm.KEY else (0, 3)
    return st.lists(keys.map(DictionaryEntry), min_size=least, max_size=most, unique=True).map(tuple)


_KINDS = {
    known: st.sampled_from([kind for kind in KINDS.values() if known or kind.entries is None])
    for known in (True, False)
}
"""Kinds of statements, with those of PROV-Dictionary or without."""
_TIMES = {odd: st.sampled_from(TIMES + (ODD_TIMES if odd else ())) for odd in (True, False)}
_EITHER = st.booleans()


@st.composite
def statements(
    draw: st.DrawFn,
    *,
    kind: Kind | None = None,
    awkward_identifiers: bool = True,
    odd_times: bool = True,
    controls: bool = False,
    languages: bool = True,
    missing_mandatory: bool = False,
    named: bool = True,
    dictionaries: bool = True,
) -> Statement:
    """One statement of any kind, with or without its optional parts.

    Args:
        draw: the function of Hypothesis.
        kind: the kind of the statement; None for any.
        awkward_identifiers: whether identifiers may need escapes.
        odd_times: whether instants may be beyond the years that Python's ``datetime`` can hold.
        controls: whether literals may contain control characters.
        languages: whether literals may have a language.
        missing_mandatory: whether a mandatory argument may be absent, which is invalid but readable.
        named: whether relations may have an identifier of their own.
        dictionaries: whether it may be a statement of PROV-Dictionary.
    """
    chosen = kind or draw(_KINDS[dictionaries])
    names = identifiers(awkward=awkward_identifiers)
    times = _TIMES[odd_times]
    args: list[Term] = []
    for argument in chosen.arguments:
        present = draw(_EITHER) if missing_mandatory or not argument.required else True
        args.append(draw(times if argument.time else names) if present else None)
    own: Identifier | None = None
    if chosen.element or (named and chosen.identified and draw(_EITHER)):
        own = draw(names)
    values = {"awkward": awkward_identifiers, "controls": controls, "languages": languages}
    attributes = draw(_attributes(chosen.name, **values)) if chosen.attributed else ()
    entries: tuple[DictionaryEntry, ...] = ()
    if chosen.entries is not None:
        entries = draw(_entries(chosen.entries, **values, missing=missing_mandatory))
    return Statement(chosen, own, tuple(args), attributes, entries=entries)


def _distinct_relations(statements_: list[Statement], used: set[str]) -> list[Statement]:
    """The statements, in which each relation that has an identifier gets a new, unique one."""
    result = []
    for statement in statements_:
        own = statement.id
        if own is not None and not statement.kind.element:
            own = Identifier(f"{EX}relation-{len(used)}")
            used.add(own)
        result.append(Statement(statement.kind, own, statement.args, statement.attributes, entries=statement.entries))
    return result


@cache
def _lists(most: int, **options: bool) -> st.SearchStrategy[list[Statement]]:
    return st.lists(statements(**options), max_size=most)


@cache
def _prefixes(default_namespace: bool) -> st.SearchStrategy[dict[str, str]]:
    declarations = [("ex", NAMESPACES[0]), ("n", NAMESPACES[1]), ("q.r-s", NAMESPACES[2]), ("été", NAMESPACES[3])]
    if default_namespace:
        declarations.append(("", NAMESPACES[1]))
    return st.lists(st.sampled_from(declarations), unique=True).map(dict)


@cache
def _names(awkward: bool, unique: bool) -> st.SearchStrategy[list[Identifier]]:
    return st.lists(identifiers(awkward=awkward), max_size=3, unique=unique)


@st.composite
def documents(
    draw: st.DrawFn,
    *,
    bundles: bool = True,
    repeated_bundles: bool = False,
    awkward_identifiers: bool = True,
    odd_times: bool = True,
    controls: bool = False,
    languages: bool = True,
    missing_mandatory: bool = False,
    named: bool = True,
    repeated_relations: bool = False,
    dictionaries: bool = True,
    default_namespace: bool = True,
    max_statements: int = 6,
) -> Document:
    """A document of statements and bundles with some of its prefixes declared.

    Args:
        draw: the function of Hypothesis.
        bundles: whether there may be bundles.
        repeated_bundles: whether two bundles may have one identifier, which is invalid but readable.
        awkward_identifiers: whether identifiers may need escapes.
        odd_times: whether instants may be beyond the years that Python's ``datetime`` can hold.
        controls: whether literals may contain control characters.
        languages: whether literals may have a language.
        missing_mandatory: whether a mandatory argument may be absent, which is invalid but readable.
        named: whether relations may have an identifier of their own.
        repeated_relations: whether a relation's identifier may be that of something else, too.
        dictionaries: whether there may be statements of PROV-Dictionary.
        default_namespace: whether the default namespace may be declared.
        max_statements: the most statements in the top level and in each bundle.
    """
    some = _lists(
        max_statements,
        awkward_identifiers=awkward_identifiers,
        odd_times=odd_times,
        controls=controls,
        languages=languages,
        missing_mandatory=missing_mandatory,
        named=named,
        dictionaries=dictionaries,
    )
    used: set[str] = set()

    def instance() -> list[Statement]:
        drawn = draw(some)
        return drawn if repeated_relations else _distinct_relations(drawn, used)

    prefixes = _prefixes(default_namespace)
    document = Document(statements=instance(), prefixes=draw(prefixes))
    if bundles:
        names = draw(_names(awkward_identifiers, not repeated_bundles))
        for name in names:
            own = draw(prefixes) if draw(_EITHER) else {}
            added = {p: n for p, n in own.items() if document.prefixes.get(p) != n}
            document.bundles.append(Bundle(name, instance(), added))
    return document
