"""A package that is changed in any way is refused with the member named, or means the same; never a traceback."""

from __future__ import annotations

import hashlib
import io
import json
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import provrepo
from provrepo.errors import ReadError
from provrepo.repository.exchange.package import archive as archives
from provrepo.repository.exchange.package.layout import Contents, Item
from tests.conftest import PROVJSON, TURTLE
from tests.support.packages import read, rebagged, unzipped, verified, zipped
from tests.support.sampling import examples, rounds

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("package")
    with provrepo.open(folder / "data", follow=False) as repository:
        repository.create_project("crops", title="Crops")
        repository.submit(PROVJSON, project="crops", name="run")
        repository.submit(TURTLE, project="crops", name="run", update=True)
        repository.submit(TURTLE + b"ex:a a prov:Entity .\n", project="crops", name="gone")
        repository.withdraw("crops", "gone", reason="wrong")
        repository.pack("crops", folder / "p.zip", for_readers=True)
    return (folder / "p.zip").read_bytes()


@pytest.fixture(scope="module")
def blobs(package: bytes) -> Files:
    return verified(package)


def refused(package: bytes, *words: str) -> None:
    with pytest.raises(ReadError) as caught:
        verified(package)
    message = str(caught.value)
    assert message.startswith("p.zip is refused, and nothing was stored: ")
    assert [word for word in words if word not in message] == [], message


def test_packages_of_other_zip_programs_are_read(package: bytes, blobs: Files) -> None:
    folder, files = unzipped(package)
    assert verified(zipped(folder, files)) == blobs
    assert verified(zipped(folder, rebagged(files))) == blobs
    folders = {f"{folder}/": b"", f"{folder}/data/": b""}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in folders:
            archive.mkdir(name)
        for path, data in reversed(files.items()):
            archive.writestr(f"{folder}/{path}", data)
    assert verified(made.getvalue()) == blobs
    windows = {**files, "bagit.txt": files["bagit.txt"].replace(b"\n", b"\r\n")}
    lines = files["tagmanifest-sha512.txt"].splitlines()
    lines[0] = hashlib.sha512(windows["bagit.txt"]).hexdigest().upper().encode() + b" bagit.txt"
    windows["tagmanifest-sha512.txt"] = b"\r\n".join(lines) + b"\r\n"
    assert verified(zipped(folder, windows)) == blobs


def test_every_part_of_it_can_be_cut_off(package: bytes) -> None:
    for length in [*range(0, len(package), 997), *range(len(package) - 60, len(package))]:
        refused(package[:length])


@pytest.mark.slow
def test_any_flipped_bit_is_refused_or_harmless(package: bytes, blobs: Files) -> None:
    size = rounds(len(package), ci=4_000, few=400)
    places = random.sample(range(len(package)), min(size, len(package)))
    harmless = 0
    for place in places:
        changed = bytearray(package)
        changed[place] ^= 1 << random.randrange(8)
        try:
            found = verified(bytes(changed))
        except ReadError:
            continue
        else:
            harmless += 1
            assert found == blobs
            assert read(bytes(changed)).contents == read(package).contents
    assert harmless < len(places) / 5


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/etc/passwd", "absolute"),
        ("crops-1-5/../../evil", "'..'"),
        ("crops-1-5/data/./evil", "'..'"),
        ("crops-1-5//evil", "empty part"),
        ("crops-1-5/data/..", "'..'"),
        ("C:/evil", "colon"),
        ("crops-1-5\\evil", "backslash"),
        ("crops-1-5/data/a\x07b", "control character"),
        ("crops-1-5/data/" + "x" * 256, "too long"),
        ("other/evil", "is not in the folder"),
        ("evil", "is not in the folder"),
        ("crops-1-5/fetch.txt", "none of the files"),
        ("crops-1-5/manifest-md5.txt", "none of the files"),
        ("crops-1-5/data/unlisted.txt", "is not listed"),
        ("crops-1-5/data/entries.ndjson", "twice"),
        ("crops-1-5/data/Entries.ndjson", "by case"),
        ("crops-1-5/Data/x", "by case"),
        ("crops-1-5/data/entries.ndjson/x", "a file and a folder"),
        ("crops-1-5/data/originals", "a file and a folder"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(package: bytes, name: str, words: str) -> None:
    changed = io.BytesIO(package)
    with zipfile.ZipFile(changed, "a") as archive, pytest.warns() if words == "twice" else nullcontext():
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    refused(changed.getvalue(), words, ascii(name)[1:60])


def test_names_that_differ_by_normalization_are_refused(package: bytes) -> None:
    folder, files = unzipped(package)
    for other in ("\u0065\u0301", "\u00c9", "E\u0301"):
        refused(zipped(folder, rebagged({**files, "data/\u00e9": b"", f"data/{other}": b""})), "normalization")


def _link(info: zipfile.ZipInfo) -> None:
    if info.filename.endswith("index.html"):
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def _device(info: zipfile.ZipInfo) -> None:
    if info.filename.endswith("index.html"):
        info.external_attr = (stat.S_IFCHR | 0o666) << 16


def _bzip(info: zipfile.ZipInfo) -> None:
    if info.filename.endswith("index.html"):
        info.compress_type = zipfile.ZIP_BZIP2


@pytest.mark.parametrize(("change", "words"), [(_link, "is a link"), (_device, "is a link"), (_bzip, "method 12")])
def test_special_members_are_refused(package: bytes, change: Callable[[zipfile.ZipInfo], None], words: str) -> None:
    folder, files = unzipped(package)
    refused(zipped(folder, files, change), words, "index.html")


def test_encrypted_members_are_refused(package: bytes) -> None:
    changed = bytearray(package)
    place = changed.rindex(b"PK\x01\x02")
    changed[place + 8] |= 1
    refused(bytes(changed), "is encrypted", "tagmanifest")


# The bag --------------------------------------------------------------------------------------------------------


def _changed(files: Files, path: str, change: Callable[[bytes], bytes]) -> Files:
    return {**files, path: change(files[path])}


@pytest.mark.parametrize(
    ("path", "change", "words"),
    [
        ("bagit.txt", lambda data: data.replace(b"1.0", b"0.93"), "BagIt 1.0"),
        ("bagit.txt", lambda data: data.replace(b"UTF-8", b"UTF-16"), "BagIt 1.0"),
        ("bag-info.txt", lambda data: data + b"x\n", "SHA-512"),
        ("manifest-sha512.txt", lambda data: data.replace(b"a", b"b", 1), "SHA-512"),
        ("manifest-sha512.txt", lambda data: data + data.splitlines(keepends=True)[0], "twice"),
        ("manifest-sha512.txt", lambda data: data + b"0" * 128 + b"  data/absent\n", "SHA-512"),
        ("manifest-sha512.txt", lambda data: data[:-1], "line end"),
        ("manifest-sha512.txt", lambda data: data + b"\xff\n", "no digest"),
        ("tagmanifest-sha512.txt", lambda data: b"".join(data.splitlines(keepends=True)[1:]), "not exactly"),
        ("tagmanifest-sha512.txt", lambda data: b"x" * 2_000_000 + b"\n", "a line of more"),
        ("data/index.html", lambda data: data.replace(b"a", b"b", 1), "SHA-512"),
    ],
)
def test_a_bag_with_a_wrong_digest_is_refused(
    package: bytes, path: str, change: Callable[[bytes], bytes], words: str
) -> None:
    folder, files = unzipped(package)
    refused(zipped(folder, _changed(files, path, change)), words, path)


@pytest.mark.parametrize("oxum", ["", "1.1", "x", "12345678901234567890123.1", "-1.3"])
def test_a_wrong_payload_oxum_is_refused(package: bytes, oxum: str) -> None:
    folder, files = unzipped(package)
    files["bag-info.txt"] = f"Payload-Oxum: {oxum}\n".encode()
    tagged = {name: files[name] for name in ("bagit.txt", "bag-info.txt", "manifest-sha512.txt")}
    files["tagmanifest-sha512.txt"] = "".join(
        f"{hashlib.sha512(data).hexdigest()}  {name}\n" for name, data in tagged.items()
    ).encode()
    refused(zipped(folder, files), "Payload-Oxum", "bag-info.txt")


def test_missing_payload_is_refused(package: bytes) -> None:
    folder, files = unzipped(package)
    for path in files:
        if path.startswith("data/"):
            left = {name: data for name, data in files.items() if name != path}
            refused(zipped(folder, left), path, "missing")


# What a package says --------------------------------------------------------------------------------------------


def _line(files: Files, name: str, number: int, **new: object) -> Files:
    lines = files[name].splitlines()
    lines[number] = json.dumps({**json.loads(lines[number]), **new}).encode()
    return {**files, name: b"\n".join(lines) + b"\n"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: {**f, "data/provrepo.json": b"{}"}, "format"),
        (lambda f: {**f, "data/provrepo.json": b"[" * 100_000}, "provrepo.json"),
        (lambda f: {**f, "data/provrepo.json": b"\xff"}, "provrepo.json"),
        (lambda f: _record(f, format=2), "upgrade"),
        (lambda f: _record(f, format=True), "format"),
        (lambda f: _record(f, base="javascript:x"), "base"),
        (lambda f: _record(f, base="https://e.org/ x"), "base"),
        (lambda f: _record(f, identity="x"), "identity"),
        (lambda f: _record(f, last=4), "folder"),
        (lambda f: _record(f, sha256="0" * 64), "ends with entry 5"),
        (lambda f: _record(f, previous="0" * 64), "previous"),
        (lambda f: _record(f, actors={"a": 1}), "actors"),
        (lambda f: _record(f, actors={"a": "\ud800"}), "actors"),
        (lambda f: _record(f, before=1), "before"),
        (lambda f: _entries(f, lambda lines: lines[:-1]), "ends with entry 4"),
        (lambda f: _entries(f, lambda lines: [lines[1], lines[0], *lines[2:]]), "line 1 is entry 2"),
        (lambda f: _entries(f, lambda lines: [lines[0], *lines]), "line 2 is entry 1"),
        (lambda f: _entries(f, lambda lines: [*lines, b"{}"]), "line 6"),
        (lambda f: _entries(f, lambda lines: [lines[0].replace(b"Crops", b"crops"), *lines[1:]]), "chain is broken"),
        (lambda f: _entries(f, lambda lines: [lines[0] + b" ", *lines[1:]]), "canonical"),
        (lambda f: _entries(f, lambda lines: [b"x" * 2_000_000]), "a line of more"),
        (lambda f: _line(f, "data/files.ndjson", 0, sha256="0" * 64), "not about a blob"),
        (lambda f: _line(f, "data/files.ndjson", 0, sequence=1), "not about a blob"),
        (lambda f: _line(f, "data/files.ndjson", 0, sequence=9), "has no line for the original of entry 2"),
        (lambda f: _line(f, "data/files.ndjson", 0, path=""), "neither a path nor a reason"),
        (lambda f: _line(f, "data/files.ndjson", 0, path="originals/absent"), "missing"),
        (lambda f: _line(f, "data/files.ndjson", 0, path="../etc/passwd"), "path"),
        (lambda f: _line(f, "data/files.ndjson", 0, path="reports/000002-run-1.json"), "role"),
        (lambda f: _line(f, "data/files.ndjson", 0, size=1), "size"),
        (lambda f: _line(f, "data/files.ndjson", 0, role="other"), "role"),
        (lambda f: _line(f, "data/files.ndjson", 0, path="", why="lost"), "is not listed in files.ndjson"),
        (lambda f: {**f, "data/files.ndjson": b"\n"}, "files.ndjson"),
        (lambda f: {**f, "data/files.ndjson": b""}, "has no line"),
        (lambda f: {**f, "data/originals/more.txt": b""}, "is not listed in files.ndjson"),
        (lambda f: _changed(f, "data/originals/000002-run-1.json", lambda d: b" " + d[1:]), "SHA-256"),
    ],
)
def test_wrong_content_with_right_digests_is_refused(
    package: bytes, change: Callable[[Files], Files], words: str
) -> None:
    folder, files = unzipped(package)
    refused(zipped(folder, rebagged(change(files))), words)


def _record(files: Files, **new: object) -> Files:
    made = {**json.loads(files["data/provrepo.json"]), **new}
    return {**files, "data/provrepo.json": json.dumps(made).encode()}


def _entries(files: Files, change: Callable[[list[bytes]], list[bytes]]) -> Files:
    return {
        **files,
        "data/entries.ndjson": b"".join(x + b"\n" for x in change(files["data/entries.ndjson"].splitlines())),
    }


# Bombs ----------------------------------------------------------------------------------------------------------


def test_what_is_compressed_too_well_is_refused(package: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "BYTES_FREE", 1 << 20)
    folder, files = unzipped(package)
    zeros = bytes(1 << 20)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(f"{folder}/{path}", data)
        with archive.open(f"{folder}/data/bomb", "w") as file:
            for _ in range(30):
                file.write(zeros)
    refused(made.getvalue(), "data/bomb", "200 times")


def test_more_bytes_than_declared_are_refused(package: bytes) -> None:
    """The directory and the local header say fewer bytes than the member unpacks to."""
    folder, files = unzipped(package)
    data = files["bagit.txt"]
    changed = bytearray(
        zipped(folder, {"bagit.txt": data + b"x" * 100_000, **{k: v for k, v in files.items() if k != "bagit.txt"}})
    )
    place = changed.index(b"PK\x01\x02")
    for header, offset in ((0, 14), (place, 16)):
        struct.pack_into("<L", changed, header + offset, zipfile.crc32(data))  # type: ignore[attr-defined]
        struct.pack_into("<L", changed, header + offset + 8, len(data))
    refused(bytes(changed), "bagit.txt")


def test_overlapping_members_are_refused(package: bytes) -> None:
    changed = bytearray(package)
    places = [at for at in range(len(changed)) if changed[at : at + 4] == b"PK\x01\x02"]
    offset = struct.unpack_from("<L", changed, places[3] + 42)[0]
    struct.pack_into("<L", changed, places[2] + 42, offset)
    refused(bytes(changed), "overlaps")


def test_too_many_members_are_refused(package: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBERS", 10)
    refused(package, "members")


@pytest.mark.parametrize("where", ["before", "after", "comment"])
def test_bytes_around_it_are_refused(package: bytes, where: str) -> None:
    if where == "comment":
        changed = io.BytesIO(package)
        with zipfile.ZipFile(changed, "a") as archive:
            archive.comment = b"hello"
        refused(changed.getvalue(), "comment")
    elif where == "before":
        refused(b"#!/bin/sh\n" + package, "put before it")
    else:
        refused(package + b"\0", "bytes after its end")


def _zip64(package: bytes, **new: int) -> bytes:
    """Add the records of zip64 to an archive."""
    fields = struct.unpack("<4s4H2LH", package[-22:])
    values = {"size": 44, "disk": 0, "here": fields[3], "count": fields[4], "length": fields[5], "start": fields[6]}
    values |= {"place": len(package) - 22, "disks": 1, **new}
    record = struct.pack(
        *("<4sQ2H2L4Q", b"PK\x06\x06", values["size"], 45, 45, values["disk"], values["disk"]),
        *(values["here"], values["count"], values["length"], values["start"]),
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", values["disk"], values["place"], values["disks"])
    return package[:-22] + record + locator + package[-22:]


def test_zip64_is_read(package: bytes, blobs: Files) -> None:
    assert verified(_zip64(package)) == blobs
    most = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert verified(_zip64(package)[:-22] + most) == blobs


@pytest.mark.parametrize(
    "new",
    [
        {"count": 2**63},
        {"count": 1, "here": 1},
        {"length": 2**62},
        {"start": 2**63 + 5},
        {"start": 0},
        {"place": 0},
        {"place": 2**64 - 1},
        {"disks": 2},
        {"disk": 1},
        {"size": 2**64 - 1},
        {"size": 45},
    ],
)
def test_nonsense_of_zip64_is_refused(package: bytes, new: dict[str, int]) -> None:
    refused(_zip64(package, **new))


def test_zip64_without_its_record_is_refused(package: bytes) -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    refused(package[:-22] + end)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"\x1f\x8b" + bytes(100), PROVJSON])
def test_other_files_are_refused(data: bytes) -> None:
    refused(data)


# Properties -----------------------------------------------------------------------------------------------------


@settings(max_examples=examples(60))
@given(st.data())
def test_whatever_is_in_it_is_read_or_refused(package: bytes, data: st.DataObject) -> None:
    """Members are removed, exchanged, cut, and overwritten in part, and the bag is made right again."""
    folder, files = unzipped(package)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(files)))
        how = data.draw(st.sampled_from(["remove", "exchange", "cut", "overwrite", "insert"]))
        content = files[path]
        at = data.draw(st.integers(0, len(content)))
        if how == "remove" and len(files) > 1:
            del files[path]
        elif how == "exchange":
            other = data.draw(st.sampled_from(sorted(files)))
            files[path], files[other] = files[other], content
        elif how == "cut":
            files[path] = content[:at]
        else:
            new = data.draw(
                st.binary(max_size=5) | st.sampled_from([b'"', b"}\n{", b"null", b"-1", b"9" * 30, b"\xed\xa0\x80"])
            )
            files[path] = content[:at] + new + content[at + (len(new) if how == "overwrite" else 0) :]
    with suppress(ReadError):
        verified(zipped(folder, rebagged(files) if data.draw(st.booleans()) else files))


@settings(max_examples=examples(50))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["format", "project", "first", "last", "role", "path", "why", "size"]), inner
            )
        ),
    )
)
def test_any_json_is_a_record_or_refused(value: object) -> None:
    for kind in (Contents, Item):
        with suppress(ValueError):
            kind.from_bytes(json.dumps(value).encode())


def test_the_file_of_a_package_is_closed_by_its_opener(package: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(package)
    with (tmp_path / "p.zip").open("rb") as file:
        from provrepo.repository.exchange.package.reading import PackageReader

        reader = PackageReader(file, "p.zip")
        reader.verify(lambda _what, _count: None)
        assert reader.size() == sum(map(len, verified(package).values()))
