"""Entries: canonical bytes, and the fields that are checked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.errors import Damaged, InvalidName
from provrepo.ledger import entries
from provrepo.ledger.entries import REPOSITORY, Entry, canonical, compose, parse, timestamp
from provrepo.ledger.kinds import KINDS, EntryField, EntryKind
from provrepo.ledger.ledger import Ledger
from tests.support.ledgers import SOFTWARE, submission, submit, tamper
from tests.support.sampling import examples

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5))
@settings(max_examples=examples(150), deadline=None)
def test_canonical_json_round_trips_and_is_json(value: dict[str, Any]) -> None:
    data = canonical(value)
    assert parse(data) == value == json.loads(data)
    assert canonical(parse(data)) == data
    assert canonical(dict(reversed(value.items()))) == data


def test_canonical_form_is_that_of_rfc_8785() -> None:
    # RFC 8785, 3.2.3: sorted by UTF-16 code units, so that an emoji (D83D...) sorts before U+FB33.
    value = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    expected = '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'
    assert canonical(value).decode() == expected
    assert canonical({"s": '\x1f\b\n"\\/\x7f<é'}).decode() == '{"s":"\\u001f\\b\\n\\"\\\\/\x7f<é"}'
    assert canonical({"t": (1, True, None)}) == b'{"t":[1,true,null]}'


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        math.inf,
        2**53 + 1,
        -(2**53) - 1,
        "\ud800",
        {1: 2},
        {"\udfff": 1},
        {None: 1},
        b"x",
        {1, 2},
        nested(40),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical({"value": value})


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":NaN}',
        b'{"a":-0}',
        b'{"a":9007199254740993}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[1]",
        b"",
        b'{"a":' * 100_000,
        b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
    ],
)
def test_only_canonical_bytes_are_parsed(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse(data)


def composed(**changes: Any) -> Entry:
    arguments: dict[str, Any] = {
        "kind": "submit",
        "body": submission("run", 1),
        "project": "crops",
        "sequence": 1,
        "previous": "",
        "actor": "somebody",
        "time": "2026-01-01T00:00:00Z",
        "software": SOFTWARE,
    }
    arguments.update(changes)
    kind, body = arguments.pop("kind"), arguments.pop("body")
    return compose(kind, body, **arguments)


def test_an_entry_is_its_bytes() -> None:
    entry = composed()
    assert entry.sha256 == hashlib.sha256(entry.data).hexdigest()
    assert Entry.from_bytes(entry.data) == entry
    assert entry.fields == {
        "kind": "submit",
        "project": "crops",
        "sequence": 1,
        "previous": "",
        "actor": "somebody",
        "time": "2026-01-01T00:00:00Z",
        "software": SOFTWARE,
        **submission("run", 1),
    }
    assert entry.body == submission("run", 1)
    assert pickle.loads(pickle.dumps(entry)) == entry
    assert hash(entry) == hash(Entry.from_bytes(entry.data))


def test_an_entry_cannot_be_changed() -> None:
    entry = composed()
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.data = b""  # type: ignore[misc]
    with pytest.raises(TypeError):
        entry.body["note"] = "changed"  # type: ignore[index]
    entry.fields["layers"].append("more")
    assert entry.fields["layers"] == ["syntax", "shapes"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "merge"}, "unknown kind of entry 'merge'"),
        ({"body": {"document": "run"}}, "the field 'version' is missing"),
        ({"body": submission("run", 0)}, "'version' cannot be '0'"),
        ({"body": submission("run", True)}, "'version' cannot be 'True'"),
        ({"body": submission("run", 1, size=1.5)}, "'size' cannot be '1.5'"),
        ({"body": submission("run", 1, size=-1)}, "'size'"),
        ({"body": submission("run", 1, blob="AB" * 32)}, "'blob'"),
        ({"body": submission("run", 1, report="")}, "'report'"),
        ({"body": submission("run", 1, layers="syntax")}, "'layers'"),
        ({"body": submission("run", 1, verdict="maybe")}, "'verdict'"),
        ({"body": submission("run", 1, origin="peer")}, "'origin'"),
        ({"body": submission("run", 1, origin={"rate": 0.5})}, "a float has no canonical form"),
        ({"body": submission("run", 1, extra=1)}, "has no field 'extra'"),
        ({"kind": "settings", "body": {"public": 1}}, "'public'"),
        ({"kind": "settings", "body": {"profiles": "core"}}, "'profiles'"),
        ({"kind": "settings", "body": {"kind": "x"}}, "a field of every entry"),
        ({"kind": "withdraw", "body": {"document": "run", "version": 1}}, "'reason' is missing"),
        ({"project": REPOSITORY}, "cannot contain a submit entry"),
        ({"time": "yesterday"}, "'time'"),
        ({"time": "2026-01-01T00:00:00+01:00"}, "'time'"),
        ({"actor": None}, "'actor'"),
        ({"previous": "x"}, "'previous'"),
    ],
)
def test_fields_are_checked_when_an_entry_is_made(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        composed(**changes)


BAD_NAMES = ["", "a b", "-a", "../x", "a" * 101, "é", "a\n", 7]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused(name: Any) -> None:
    with pytest.raises(InvalidName):
        composed(body=submission(name, 1))
    if name != REPOSITORY:
        with pytest.raises(InvalidName):
            composed(project=name)


def test_a_field_that_a_newer_version_added_does_not_make_an_entry_unreadable() -> None:
    data = canonical({**composed().fields, "license": "CC0"})
    assert Entry.from_bytes(data).body["license"] == "CC0"


def test_a_body_is_checked_when_read() -> None:
    with pytest.raises(Damaged, match="'size'"):
        Entry.from_bytes(canonical({**composed().fields, "size": "10"}))


def test_a_moment_needs_a_time_zone() -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    assert timestamp(dt.datetime(2026, 1, 1, 1, 2, 3, 4567, zone)) == "2025-12-31T23:02:03.004Z"
    with pytest.raises(ValueError, match="time zone"):
        timestamp(dt.datetime(2026, 1, 1))


# The table of kinds

EXAMPLES: dict[str, Any] = {
    "boolean": True,
    "integer from 0": 0,
    "integer from 1": 1,
    "list of objects": [{"key": "k1", "envelope": "ab" * 32}],
    "list of strings": ["core"],
    "name": "run",
    "object": {"root": "ab" * 32},
    "SHA-256": "ab" * 32,
    "SHA-256 or empty": "",
    "string": "text",
    "time": "2026-01-01T00:00:00Z",
    "UUID": "00000000-0000-4000-8000-000000000000",
}
WRONG: tuple[Any, ...] = (None, 1.5, "nonsense of no kind", -1, [1], {1: 2})


def example(field: EntryField) -> Any:
    """A valid value of the field."""
    name = field.type.name
    if name.startswith("`"):
        return name.split("`")[1]
    return EXAMPLES[name.removesuffix(" or null")]


def whole(kind: EntryKind) -> dict[str, Any]:
    return {name: example(field) for name, field in kind.fields.items()}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_is_made_and_read_with_all_its_fields(kind: EntryKind) -> None:
    project = REPOSITORY if kind.stream == "repository" else "crops"
    entry = composed(kind=kind.name, body=whole(kind), project=project)
    assert Entry.from_bytes(entry.data, strict=False) == entry
    assert (entry.body.get("ignorable") is True) == kind.ignorable
    for name, field in kind.fields.items():
        lacking = {other: value for other, value in whole(kind).items() if other != name}
        if field.optional:
            composed(kind=kind.name, body=lacking, project=project)
        else:
            with pytest.raises(ValueError, match=f"'{name}' is missing"):
                composed(kind=kind.name, body=lacking, project=project)
    assert kind.meaning.endswith(".")
    for stream, allowed in ((REPOSITORY, kind.stream != "project"), ("crops", kind.stream != "repository")):
        if not allowed:
            with pytest.raises(ValueError, match=f"cannot contain a {kind.name} entry"):
                composed(kind=kind.name, body=whole(kind), project=stream)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in KINDS.values() for name in kind.fields],
    ids=lambda v: getattr(v, "name", v),
)
def test_no_field_takes_what_it_may_not_hold(kind: EntryKind, name: str) -> None:
    project = REPOSITORY if kind.stream == "repository" else "crops"
    refused = [value for value in WRONG if not kind.fields[name].type.check(value)]
    assert refused
    for value in refused:
        with pytest.raises((ValueError, InvalidName)):
            composed(kind=kind.name, body={**whole(kind), name: value}, project=project)


def test_the_planned_kinds_are_reserved() -> None:
    assert {kind.name for kind in KINDS.values() if kind.reserved} == {"atoms", "checkpoint"}
    # Software that skips them still shows the right documents.
    assert [kind.name for kind in KINDS.values() if kind.reserved and not kind.ignorable] == []


def test_a_token_stands_in_an_entry_of_any_kind() -> None:
    entry = composed(body={**submission("run", 1), "token": "0123456789abcdef"})
    assert entry.body["token"] == "0123456789abcdef"
    with pytest.raises(ValueError, match="'token'"):
        composed(body={**submission("run", 1), "token": 7})
    with pytest.raises(ValueError, match="a field of every entry"):
        composed(body={**submission("run", 1), "ignorable": True})


def test_who_does_not_know_a_kind_goes_by_what_the_entry_says() -> None:
    fields = {**composed().fields, "kind": "merge"}
    skipped = Entry.from_bytes(canonical({**fields, "ignorable": True}))
    assert (skipped.kind, skipped.effective, skipped.understood) == ("merge", False, True)
    for stops in (fields, {**fields, "ignorable": False}):
        with pytest.raises(Damaged, match=r"'merge'.*may not skip; provrepo test wrote it: upgrade"):
            Entry.from_bytes(canonical(stops))
    with pytest.raises(Damaged, match="'ignorable'"):
        Entry.from_bytes(canonical({**fields, "ignorable": "yes"}))


def test_a_changed_row_is_not_taken_for_the_entry_that_was_just_read(tmp_path: Path) -> None:
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        entry = submit(ledger, "crops", "run")
        assert ledger.entry("crops", 1) is ledger.entry("crops", 1)  # parsed once
        tamper(ledger, "UPDATE entries SET data = CAST(replace(data, 'run', 'ran') AS BLOB) WHERE project = 'crops'")
        with pytest.raises(Damaged, match="its bytes are not those that were appended"):
            ledger.entry("crops", 1)
        tamper(ledger, "UPDATE entries SET data = ?, project = 'soil' WHERE project = 'crops'", entry.data)
        with pytest.raises(Damaged, match="it contains entry 1 of project crops"):
            ledger.entry("soil", 1)


def test_few_entries_are_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "_parsed", {})
    monkeypatch.setattr(entries, "_RECENT", 3)
    monkeypatch.setattr(entries, "_RECENT_SIZE", 2000)
    with Ledger(tmp_path, software=SOFTWARE) as ledger:
        for number in range(5):
            submit(ledger, "crops", f"d{number}")
        submit(ledger, "crops", "long", note="x" * 2000)
        assert [entry.body["document"] for entry in ledger.entries("crops")] == [*(f"d{n}" for n in range(5)), "long"]
    assert [entry.body["document"] for entry in entries._parsed.values()] == ["d2", "d3", "d4"]
