"""Notices as JSON: what is written is read again, and what is no notice is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provrepo.errors import Error, ReadError, TooLarge
from provrepo.repository.exchange.notices.payload import MOST_BYTES, RELATIONSHIPS, Notice, read, write

A, B = "https://lab-a.example/", "https://lab-b.example/"
NOTICE = Notice(
    id="urn:uuid:94ecae35-dcfd-4182-8550-22c7164fe23f",
    about="withdrawn",
    subject=f"{A}projects/crops/documents/run",
    relationship=RELATIONSHIPS["withdrawn"],
    object=f"{A}projects/crops/documents/run/versions/2",
    origin=A,
    origin_inbox=f"{A}inbox",
    target=B,
    target_inbox=f"{B}inbox",
    summary="Version 2 of run in project crops was withdrawn.",
    project="crops",
    document="run",
    version=2,
    sha256="ab" * 32,
    sequence=7,
    entry="cd" * 32,
    time="2026-03-01T10:00:00.123456Z",
    by="Ada",
    reason="wrong\nunit \N{GREEK SMALL LETTER MU}",
)
DELETE = object()


def changed(path: str, value: object) -> bytes:
    """The notice in JSON with another value at a path, or without it."""
    found = json.loads(write(NOTICE))
    *steps, last = path.split("/")
    place: Any = found
    for step in steps:
        place = place[step]
    if value is DELETE:
        del place[last]
    else:
        place[last] = value
    return json.dumps(found).encode()


def test_what_is_written_is_read_again() -> None:
    assert read(write(NOTICE)) == NOTICE
    answer = replace(NOTICE, answers="urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", target_inbox="", origin_inbox="")
    assert read(write(answer)) == answer
    bare = replace(
        NOTICE, project="", document="", version=0, sha256="", sequence=0, entry="", time="", by="", reason=""
    )
    assert read(write(bare)) == bare
    assert write(NOTICE) == write(NOTICE)
    assert read(b"\xef\xbb\xbf" + write(NOTICE)) == NOTICE


def test_a_notice_has_the_form_of_coar_notify() -> None:
    found = json.loads(write(NOTICE))
    assert found["@context"][:2] == ["https://www.w3.org/ns/activitystreams", "https://coar-notify.net"]
    assert found["type"] == ["Announce", "coar-notify:RelationshipAction"]
    assert found["origin"] == {"id": A, "inbox": f"{A}inbox", "type": "Service"}
    assert found["object"]["type"] == "Relationship"
    assert found["object"]["as:relationship"] == "https://w3id.org/provrepo/ns#withdrawalOf"
    assert found["object"]["as:object"] == found["context"]["id"] == NOTICE.object
    assert set(found["context"]["type"]) == {"Page", "sorg:AboutPage"}
    assert found["object"]["id"] != found["id"]


def test_other_notices_are_read_without_a_meaning() -> None:
    endorsed = json.loads(write(NOTICE))
    endorsed["type"] = ["Announce", "coar-notify:EndorsementAction"]
    endorsed["object"] = {"id": "https://c.example/endorsement/1", "type": ["Document"]}
    del endorsed["context"]
    found = read(json.dumps(endorsed).encode())
    assert (found.about, found.relationship, found.object) == ("", "", "https://c.example/endorsement/1")
    other = read(changed("object/as:relationship", "http://purl.org/vocab/frbr/core#supplement"))
    assert (other.about, other.relationship) == ("", "http://purl.org/vocab/frbr/core#supplement")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("id", DELETE, "id is missing"),
        ("id", "relative", "id is not an absolute IRI"),
        ("id", 7, "id is not a text"),
        ("id", ["urn:x:y"], "id is not a text"),
        ("id", "urn:x:" + "a" * 2000, "id has 2,006 characters"),
        ("id", "urn:x:a\u202eb", "id is not an absolute IRI"),
        ("type", DELETE, "type is a text or a list of texts"),
        ("type", {"a": "b"}, "type is a text"),
        ("@context", DELETE, "@context does not contain"),
        ("@context", ["https://evil.example/context"], "@context does not contain"),
        ("origin", DELETE, "origin is missing"),
        ("origin", "https://lab-a.example/", "origin is not an object"),
        ("origin/id", DELETE, "origin.id is missing"),
        ("origin/inbox", "file:///etc/passwd", "origin.inbox is not an http or https URL"),
        ("origin/inbox", "https://me:secret@lab-a.example/inbox", "origin.inbox is not an http or https URL"),
        ("target", [], "target is not an object"),
        ("object", None, "object is missing"),
        ("object/as:subject", DELETE, "object.as:subject is missing"),
        ("object/as:object", {"id": "urn:x:y"}, "object.as:object is not a text"),
        ("object/as:relationship", "", "object.as:relationship is missing"),
        ("object/provrepo:entryNumber", "7", "object.provrepo:entryNumber is not a whole number"),
        ("object/provrepo:entryNumber", 0, "object.provrepo:entryNumber is not a whole number"),
        ("object/provrepo:entryNumber", 10**20, "object.provrepo:entryNumber is not a whole number"),
        ("object/provrepo:entryNumber", 1.5, "object.provrepo:entryNumber is not a whole number"),
        ("object/provrepo:entryNumber", True, "object.provrepo:entryNumber is not a whole number"),
        ("object/provrepo:entry", "xyz", "object.provrepo:entry is not a SHA-256"),
        ("object/provrepo:time", "yesterday", "object.provrepo:time is not a time"),
        ("object/provrepo:time", "2026-03-01T10:00:00+01:00", "object.provrepo:time is not a time"),
        ("object/provrepo:statedReason", "a\x00b", "object.provrepo:statedReason contains a control character"),
        ("object/provrepo:statedReason", "a" * 10_001, "object.provrepo:statedReason has 10,001 characters"),
        ("context", DELETE, "context is missing"),
        ("context/provrepo:projectName", "../etc", "context.provrepo:projectName is not a name"),
        ("context/provrepo:version", -1, "context.provrepo:version is not a whole number"),
        ("summary", {}, "summary is not a text"),
        ("inReplyTo", "no iri", "inReplyTo is not an absolute IRI"),
    ],
)
def test_a_wrong_member_is_named(path: str, value: object, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(changed(path, value))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expecting value"),
        (b"[]", "the whole is not an object"),
        (b'"text"', "the whole is not an object"),
        (b"{", "line 1, column 2"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"a":' * 10_000, "nested too deeply"),
        (b'{"id": "urn:x:a", "id": "urn:x:b"}', "the key 'id' occurs twice"),
        (b'{"origin": {"id": "urn:x:a", "id": "urn:x:b"}}', "the key 'id' occurs twice"),
        (b'{"a": NaN}', "is not JSON"),
        (b"\xff\xfe{\x00}\x00", "UTF-"),
        (b'{"id": "\\ud800"}', "half a character"),
        (write(NOTICE) + b"{}", "nothing may follow"),
        (b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}", "nested deeper than"),
    ],
    ids=range(13),
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReadError) as caught:
        read(data)
    assert message in str(caught.value)


def test_a_large_notice_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge, match="65,536 bytes"):
        read(b" " * (MOST_BYTES + 1))
    with pytest.raises(ReadError):
        read(b" " * MOST_BYTES)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_PATHS = ["id", "type", "@context", "origin", "target", "object", "context", "summary", "inReplyTo", "object/type"] + [
    f"{step}/{name}"
    for step, names in {
        "origin": ["id", "inbox"],
        "object": ["as:subject", "as:object", "as:relationship", "provrepo:entryNumber", "provrepo:time"],
        "context": ["provrepo:projectName", "provrepo:version", "provrepo:sha256"],
    }.items()
    for name in names
]


@given(st.sampled_from(_PATHS), _JSON)
def test_no_value_breaks_the_reader(path: str, value: object) -> None:
    try:
        found = read(changed(path, value))
    except Error as error:
        assert str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert isinstance(found, Notice)
