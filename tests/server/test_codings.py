"""Content codings (RFC 9110, section 8.4) of request bodies and responses."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from provrepo.errors import TooLarge
from provrepo.server.protocol.codings import MIN_SIZE, inflate, prefers_gzip
from provrepo.server.protocol.rejections import Rejected
from tests.support.serving import BROWSER, LATER, MAX_BODY, PROVN, PROVN_TYPE, Site, opened, sha256

SELECT = "SELECT ?thing { ?run prov:used ?thing }"
MANY = "SELECT * { VALUES ?a { " + "1 2 3 4 5 6 7 8 9 " * 3 + "} VALUES ?b { " + "1 2 3 4 5 6 7 8 9 " * 3 + "} }"
FORM, QUERY = "application/x-www-form-urlencoded", "application/sparql-query"
GZIP = {"Accept-Encoding": "gzip"}


def raw(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


CODED: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw),
    ("identity, gzip", gzip.compress),
    ("identity", bytes),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


# Bodies.


@pytest.mark.parametrize("number", range(len(CODED)))
def test_a_compressed_body_is_decompressed(site: Site, number: int) -> None:
    coding, compress = CODED[number]
    coded = {"Content-Encoding": coding}
    answer = site.client.post(
        f"/projects/open/documents?name=packed-{number}",
        data=compress(PROVN),
        content_type=PROVN_TYPE,
        headers={**coded, **site.auth("open")},
    )
    assert answer.status_code == 201
    assert answer.headers["ETag"] == f'"{sha256(PROVN)}"'
    assert site.client.get(f"/projects/open/documents/packed-{number}/original").data == PROVN
    report = site.client.post("/validate", data=compress(PROVN), content_type=PROVN_TYPE, headers=coded)
    assert report.get_json()["verdict"] == "conforms"
    for data, kind in ((SELECT.encode(), QUERY), (f"query={quote(SELECT)}&format=csv".encode(), FORM)):
        found = site.client.post("/sparql", data=compress(data), content_type=kind, headers=coded)
        assert found.status_code == 200
        assert b"https://example.org/raw" in found.data
    made = site.client.post(
        "/projects",
        data=compress(b'{"name": "made-%d"}' % number),
        content_type="application/json",
        headers={**coded, **site.auth("all")},
    )
    assert made.status_code == 201


def test_gzip_members_form_one_body() -> None:
    """RFC 1952, section 2.2; padding with zeros is accepted too, as on tapes."""
    blocks = [PROVN[start : start + 10] for start in range(0, len(PROVN), 10)]
    packed = b"".join(map(gzip.compress, blocks))
    assert inflate(packed, "gzip", most=MAX_BODY) == PROVN
    assert inflate(packed + bytes(600), "gzip", most=MAX_BODY) == PROVN


@pytest.mark.parametrize("length", [1000, 64 << 10, (64 << 10) + 1, 200_000])
def test_the_limit_applies_to_the_decompressed_body(length: int) -> None:
    data = bytes(range(256)) * (length // 256) + b"x" * (length % 256)
    for coding, packed in (("gzip", gzip.compress(data)), ("deflate", zlib.compress(data)), ("deflate", raw(data))):
        assert inflate(packed, coding, most=length) == data
        with pytest.raises(TooLarge):
            inflate(packed, coding, most=length - 1)


DAMAGED = [
    (b"", "ends before"),
    (b"not compressed at all", "not valid gzip"),
    (gzip.compress(PROVN, mtime=0)[:-9], "ends before"),
    (gzip.compress(PROVN, mtime=0)[:5], "ends before"),
    (gzip.compress(PROVN, mtime=0)[:-8] + b"\0\0\0\0" + gzip.compress(PROVN, mtime=0)[-4:], "not valid gzip"),
    (gzip.compress(PROVN, mtime=0) + b"more", "not valid gzip"),
    (gzip.compress(PROVN, mtime=0) + gzip.compress(PROVN, mtime=0)[:8], "ends before"),
]


@pytest.mark.parametrize(("data", "words"), DAMAGED)
def test_a_damaged_body_is_400(site: Site, data: bytes, words: str) -> None:
    for path in ("/validate", "/projects/open/documents?name=damaged"):
        answer = site.client.post(
            path,
            data=data,
            content_type=PROVN_TYPE,
            headers={"Content-Encoding": "gzip", **site.auth("open")},
        )
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert words in answer.get_json()["detail"]
    assert site.client.get("/projects/open/documents/damaged").status_code == 404


def test_data_after_the_end_is_refused() -> None:
    with pytest.raises(Rejected, match="400"):
        inflate(zlib.compress(PROVN) + b"more", "deflate", most=MAX_BODY)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate, br", "compress", "utf-8"])
@pytest.mark.parametrize("path", ["/validate", "/projects/open/documents", "/sparql"])
def test_unsupported_codings_are_refused_with_the_list_of_supported_ones(site: Site, path: str, coding: str) -> None:
    kind = QUERY if path == "/sparql" else PROVN_TYPE
    answer = site.client.post(
        path, data=b"x", content_type=kind, headers={"Content-Encoding": coding, **site.auth("open")}
    )
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "gzip, deflate, identity"
    assert coding in answer.get_json()["detail"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_decompression_of_a_bomb_stops_at_the_limit(coding: str) -> None:
    engine = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    bomb = b"".join(engine.compress(bytes(1 << 20)) for _ in range(500)) + engine.flush()
    tracemalloc.start()
    with pytest.raises(TooLarge):
        inflate(bomb, coding, most=MAX_BODY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MAX_BODY


def test_very_many_empty_members_are_refused() -> None:
    with pytest.raises(Rejected):
        inflate(gzip.compress(b"") * 20_000, "gzip", most=MAX_BODY)


def test_a_bomb_is_413(site: Site) -> None:
    bomb = gzip.compress(bytes(10 * MAX_BODY))
    for path, kind in (("/validate", PROVN_TYPE), ("/sparql", QUERY), ("/sparql", FORM)):
        answer = site.client.post(path, data=bomb, content_type=kind, headers={"Content-Encoding": "gzip"})
        assert answer.status_code == 413
        assert answer.get_json()["type"].endswith("#too-large")


def test_permission_is_checked_before_the_coding(site: Site) -> None:
    answer = site.client.post(
        "/projects/open/documents", data=b"x", content_type=PROVN_TYPE, headers={"Content-Encoding": "br"}
    )
    assert answer.status_code == 401


# Answers.


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("gzip;q=0.5, identity", False),
        ("nonsense;;q=,", False),
    ],
)
def test_accept_encoding_decides_on_compression(site: Site, header: str, packed: bool) -> None:
    assert prefers_gzip(header) is packed
    answer = site.client.get("/sparql", query_string={"query": MANY}, headers={"Accept-Encoding": header})
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "Accept" in answer.headers["Vary"].replace("Accept-Encoding", "")
    data = gzip.decompress(answer.data) if packed else answer.data
    assert data == site.client.get("/sparql", query_string={"query": MANY}).data
    assert int(answer.headers["Content-Length"]) == len(answer.data)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/", BROWSER),
        ("/projects/open", BROWSER),
        ("/projects/open/documents/run", BROWSER),
        ("/projects/open/documents/run", "image/svg+xml"),
        ("/projects/open/graphs?default", "application/rdf+xml"),
        ("/openapi.json", "*/*"),
        ("/static/style.css", "*/*"),
        ("/queries", "*/*"),
    ],
)
def test_all_text_can_be_compressed(site: Site, path: str, accept: str) -> None:
    plain = site.client.get(path, headers={"Accept": accept})
    packed = site.client.get(path, headers={"Accept": accept, **GZIP})
    assert len(plain.data) >= MIN_SIZE
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]


def test_an_error_can_be_compressed_too(site: Site) -> None:
    answer = site.client.get("/nowhere", headers={"Accept": BROWSER, **GZIP})
    assert answer.status_code == 404
    assert b"Not found" in gzip.decompress(answer.data)


@pytest.mark.parametrize("path", ["/health", "/sparql?query=ASK%20%7B%7D", "/static/icon.svg"])
def test_short_responses_are_not_compressed(site: Site, path: str) -> None:
    answer = site.client.get(path, headers=GZIP)
    assert len(answer.data) < MIN_SIZE
    assert "Content-Encoding" not in answer.headers


def test_submitted_bytes_keep_their_digest(site: Site) -> None:
    """``Repr-Digest`` is the digest of the sent bytes (RFC 9530, section 3), so that they are not compressed."""
    document = PROVN.replace(b"endDocument", b"".join(b"entity(ex:e%d)\n" % n for n in range(200)) + b"endDocument")
    site.submit("long", document)
    answer = site.client.get("/projects/open/documents/long/original", headers=GZIP)
    assert answer.data == document
    assert answer.headers["Repr-Digest"]
    assert "Content-Encoding" not in answer.headers


def test_long_responses_are_compressed_while_they_are_sent(site: Site) -> None:
    many = "SELECT * { " + " ".join(f"VALUES ?v{n} {{ 1 2 3 4 5 6 7 8 }}" for n in range(4)) + " }"
    plain = site.client.get("/sparql", query_string={"query": many})
    assert len(plain.data) > 256 << 10
    packed = site.client.get("/sparql", query_string={"query": many}, headers=GZIP)
    assert "Content-Length" not in packed.headers
    assert gzip.decompress(packed.data) == plain.data
    head = site.client.head("/sparql", query_string={"query": many}, headers=GZIP)
    assert (head.data, head.headers["Content-Encoding"]) == (b"", "gzip")


def test_head_has_the_headers_of_get(site: Site) -> None:
    get, head = (site.client.open("/queries", method=method, headers=GZIP) for method in ("GET", "HEAD"))
    for name in ("Content-Encoding", "Content-Length", "ETag", "Vary", "Content-Type"):
        assert head.headers[name] == get.headers[name]


PATHS = [
    "/openapi.json",
    "/projects/open/documents/run.svg",
    "/projects/open/documents/twice/versions/2.svg",
    "/queries",
]


@pytest.mark.parametrize("path", PATHS)
def test_each_coding_has_its_own_entity_tag(site: Site, path: str) -> None:
    """RFC 9110, section 8.8.3.3."""
    plain, packed = site.client.get(path), site.client.get(path, headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert not packed.headers["ETag"].startswith("W/")
    assert plain.headers["ETag"] != packed.headers["ETag"]


@pytest.mark.parametrize("path", PATHS)
def test_the_tag_of_a_compressed_response_gives_304(site: Site, path: str) -> None:
    tags = {name: site.client.get(path, headers=head).headers["ETag"] for name, head in (("", {}), ("gzip", GZIP))}
    for coding, tag in tags.items():
        again = site.client.get(path, headers={"Accept-Encoding": coding, "If-None-Match": tag})
        assert again.status_code == 304
        assert again.headers["ETag"] == tag
        assert "Accept-Encoding" in again.headers["Vary"]
        assert again.data == b""
    # The plain representation is another than the one that this client has.
    other = site.client.get(path, headers={"If-None-Match": tags["gzip"]})
    assert (other.status_code, other.headers["ETag"]) == (200, tags[""])
    several = site.client.get(path, headers={**GZIP, "If-None-Match": f'"x", {tags["gzip"]}, W/"y"'})
    assert several.status_code == 304
    assert site.client.get(path, headers={**GZIP, "If-None-Match": '"x.gzip"'}).status_code == 200


def test_the_tag_of_a_compressed_representation_works_in_if_match(site: Site) -> None:
    document = PROVN.replace(b"endDocument", b"".join(b"entity(ex:e%d)\n" % n for n in range(200)) + b"endDocument")
    path = site.submit("long", document)
    for suffix in ("", ".provn", ".svg"):
        got = site.client.get(path + suffix, headers=GZIP)
        assert got.headers["Content-Encoding"] == "gzip"
        changed = document + b"// " + suffix.encode()
        put = site.client.put(
            path,
            data=changed,
            content_type=PROVN_TYPE,
            headers={"If-Match": got.headers["ETag"], **site.auth("open")},
        )
        assert put.status_code == 200
    stale = site.client.put(
        path,
        data=LATER,
        content_type=PROVN_TYPE,
        headers={"If-Match": f'"{sha256(document)}.gzip"', **site.auth("open")},
    )
    assert stale.status_code == 412


def test_a_part_of_a_file_is_not_compressed(site: Site) -> None:
    part = site.client.get("/static/style.css", headers={**GZIP, "Range": "bytes=0-1999"})
    assert (part.status_code, len(part.data)) == (206, 2000)
    assert "Content-Encoding" not in part.headers
