"""Which tables and files a statement of SQL names, by its words: no database is asked.

What is uncertain is left out: the names that WITH defines, functions, and text in other places.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..observing import query, table

_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^']|'')*')"""
    r"""|(?P<name>(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d]\w*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d]\w*))*)"""
    r"""|(?P<sign>.)""",
    re.DOTALL,
)
_READER = re.compile(r"(read|scan)_|_(read|scan)$|^glob$", re.IGNORECASE)
_AFTER = ("EXISTS", "IF", "INTO", "LOCAL", "NOT", "ONLY", "OR", "REPLACE", "TABLE", "UNLOGGED", "VIEW")
"""Words between a verb and the name of the table that it changes."""
_VERBS = ("ALTER", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "MERGE", "REPLACE", "TRUNCATE", "UPDATE")
_ENDS = ("WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "ON", "SET", "USING", "WINDOW")
_QUERIES = ("SELECT", "WITH", "FROM", "VALUES", "INSERT", "UPDATE", "DELETE")
"""Words with which a query in brackets begins."""
_STREAMS = ("STDIN", "STDOUT", "PROGRAM")
"""What COPY names instead of a file."""
_CATALOGS = ("information_schema.", "pg_catalog.", "pg_", "sqlite_", "duckdb_")
"""Tables that describe tables, which libraries ask for by themselves."""
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
"""The ports of databases that are not part of their URLs."""
LONGEST = 100_000
"""Characters of a text of statements that are read."""


class Named(NamedTuple):
    """What a text of statements names.

    Attributes:
        reads: tables that are read.
        writes: tables that are made or changed.
        sources: files that are read.
        targets: files that are written.
        databases: files that are attached.
    """

    reads: set[str]
    writes: set[str]
    sources: set[str]
    targets: set[str]
    databases: set[str]


def named(text: str) -> Named:
    """What a text of statements names."""
    found = Named(set(), set(), set(), set(), set())
    statement: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(text[:LONGEST]):
        kind = match.lastgroup
        if kind is None:
            continue
        if match.group() == ";":
            _statement(statement, found)
            statement = []
        else:
            statement.append((kind, match.group()))
    _statement(statement, found)
    return found


def asks(text: str) -> Named | None:
    """What a statement names; None of one that is about no table of the program."""
    found = named(text)
    for names in (found.reads, found.writes):
        names.difference_update([name for name in names if name.lower().startswith(_CATALOGS)])
    return None if text.lstrip()[:6].upper() == "PRAGMA" or not (found.reads or found.writes) else found


def told(backend: str, host: Any, port: Any, name: Any, text: str) -> None:
    """Tell a statement for a database server, and its tables.

    Args:
        backend: the kind of the server.
        host: its name; a folder of sockets, or nothing, is this machine.
        port: None for the usual one.
        name: of the database.
        text: the statement.
    """
    found = asks(text)
    if found is None:
        return
    host = "localhost" if not host or str(host).startswith("/") else host
    place = f"{host}:{port}" if port and int(port) != _PORTS.get(backend) else host
    database = f"{backend}://{place}/{name or ''}"
    query(database, text)
    for names, wrote in ((found.reads, False), (found.writes, True)):
        for each in sorted(names):
            table(database, each, wrote)


def _statement(tokens: list[tuple[str, str]], found: Named) -> None:
    words = [value.upper() if kind == "name" else value for kind, value in tokens]
    defined = {
        _plain(tokens[at][1])
        for at in range(len(tokens) - 2)
        if tokens[at][0] == "name" and words[at + 1] == "AS" and words[at + 2] in ("(", "MATERIALIZED", "NOT")
    }
    verb = words[0] if words else ""
    if verb == "WITH":
        verb = next((word for word in words if word in ("INSERT", "UPDATE", "DELETE", "MERGE")), verb)
    changed = _changed(tokens, words, verb, found)
    # For each open bracket, the outermost place included: whether it is a query, and whether tables are listed.
    query, listed, expects, reader = [True], [False], False, 0
    for at, (kind, value) in enumerate(tokens):
        word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
        if word in ("(", "["):
            query.append(following in _QUERIES)
            listed.append(expects and not query[-1])
            expects = listed[-1]
        elif word in (")", "]"):
            if len(query) > 1:
                del query[-1], listed[-1]
            expects, reader = False, reader if len(query) > reader else 0
        elif kind == "sign":
            reader = 0 if word == "," and len(query) == reader + 1 else reader
            expects = word == "," and listed[-1] and not reader
        elif kind == "text":
            if expects or reader:
                found.sources.add(value[1:-1].replace("''", "'"))
            expects = False
        elif word == "JOIN" or (word == "FROM" and query[-1] and words[at - 1] != "DISTINCT"):
            expects = listed[-1] = verb != "COPY" or len(query) > 1
        elif word in _ENDS:
            expects = listed[-1] = False
        elif expects and word not in ("LATERAL", "ONLY"):
            if following == "(":
                reader = len(query) if _READER.search(value) else 0
            elif _plain(value) not in defined and at != changed:
                found.reads.add(_plain(value))
            expects = False


def _changed(tokens: list[tuple[str, str]], words: list[str], verb: str, found: Named) -> int:
    """The place of the table that a statement changes, which is added; -1 without one."""
    if verb == "ATTACH":
        found.databases.update(value[1:-1] for kind, value in tokens[1:4] if kind == "text")
        return -1
    if verb not in _VERBS or (verb in ("ALTER", "CREATE", "DROP") and not {"TABLE", "VIEW"} & set(words[1:5])):
        return -1
    at = words.index(verb) + 1
    temporary = False
    while at < len(words) and (words[at] in _AFTER or words[at] in ("FROM", "TEMP", "TEMPORARY")):
        temporary = temporary or words[at].startswith("TEMP")
        at += 1
    if verb == "COPY":
        way = next((place for place in range(at, len(words)) if words[place] in ("TO", "FROM")), -1)
        depth = sum({"(": 1, ")": -1}.get(word, 0) for word in words[at:way])
        while way >= 0 and depth:  # a FROM inside of the query
            way = next((place for place in range(way + 1, len(words)) if words[place] in ("TO", "FROM")), -1)
            depth = sum({"(": 1, ")": -1}.get(word, 0) for word in words[at:way])
        if 0 <= way < len(tokens) - 1 and (tokens[way + 1][0] == "text" or words[way + 1] in _STREAMS):
            if tokens[way + 1][0] == "text":
                (found.targets if words[way] == "TO" else found.sources).add(tokens[way + 1][1][1:-1])
            if tokens[at][0] == "name":
                (found.reads if words[way] == "TO" else found.writes).add(_plain(tokens[at][1]))
        return -1
    if at >= len(tokens) or tokens[at][0] != "name" or temporary:
        return at
    found.writes.add(_plain(tokens[at][1]))
    return at


def _plain(name: str) -> str:
    """A name without quotes."""
    return ".".join(part.strip().strip('"`') for part in name.split("."))
