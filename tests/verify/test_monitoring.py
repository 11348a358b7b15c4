"""Checkpoints against earlier ones: each rewritten entry is found, whatever the server says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from provrepo.errors import Diverged, RemoteError
from provrepo.ledger.logs.trees import tiles_of
from provrepo.verify.merkle import leaf_hash, root
from provrepo.verify.monitoring import Seen, follow, read_checkpoint
from provrepo.verify.notes import Checkpoint, VerifierKey, sign
from provrepo.verify.tiles import TileReader, tile_path

IDENTITY = "91779b4c-b1ef-43c0-9b1f-85a4088f7202"
ORIGIN = f"w3id.org/provrepo/log/{IDENTITY}/4218e2bd/crops"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEY = VerifierKey(f"w3id.org/provrepo/log/{IDENTITY}", PRIVATE.public_key().public_bytes_raw())


class Log:
    """A server with a list of leaves, which signs whatever it is asked to."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = b"".join(map(leaf_hash, leaves))
        self.size = len(leaves)
        self.tiles = {(level, number): data for level, number, data in tiles_of(self.leaves)}
        self.asked: list[str] = []

    def tile(self, path: str) -> bytes:
        self.asked.append(path)
        place, _, width = path.partition(".p/")
        level, *groups = place.split("/")
        data = self.tiles[int(level), int("".join(group.removeprefix("x") for group in groups))]
        return data[: 32 * int(width or 256)]

    def signed(self, size: int | None = None, origin: str = ORIGIN, private: Ed25519PrivateKey = PRIVATE) -> str:
        size = self.size if size is None else size
        whole = root(TileReader(self.tile, size).subtree, size) if size else hashlib.sha256(b"").digest()
        return str(sign(Checkpoint(origin, size, whole).text, origin, [private]))

    def seen(self, size: int | None = None, origin: str = ORIGIN) -> Seen:
        return read_checkpoint(None, self.signed(size, origin), [KEY])


def chain(count: int, changed: int | None = None) -> list[bytes]:
    """Digests of entries, each with that of the one before it; one entry may be another."""
    found, previous = [], b""
    for number in range(count):
        previous = hashlib.sha256(previous + str(number).encode() + b"!" * (number == changed)).digest()
        found.append(previous)
    return found


@pytest.mark.parametrize(("former", "present"), [(1, 1), (1, 2), (255, 256), (256, 257), (300, 1000), (0, 5), (5, 700)])
def test_a_log_that_has_grown(former: int, present: int) -> None:
    log = Log(chain(present))
    assert follow(log.seen(former), log.seen(), log.tile) is False
    assert all(len(log.tile(path)) <= 8192 for path in set(log.asked))


def test_each_of_1000_rewritten_entries_is_found() -> None:
    """The chain after it, the tree, and the signature are made anew: only the earlier checkpoint is in other hands."""
    honest = Log(chain(1000)).seen()
    for changed in range(1000):
        rewritten = Log(chain(1003, changed))
        with pytest.raises(Diverged, match="others than were signed before") as caught:
            follow(honest, rewritten.seen(), rewritten.tile)
        assert caught.value.state == "forked"
        assert caught.value.evidence == [str(honest.note), rewritten.signed()]


def test_a_rewritten_log_of_the_same_size_or_fewer() -> None:
    honest = Log(chain(50)).seen()
    with pytest.raises(Diverged, match="others than were signed before"):
        follow(honest, Log(chain(50, 7)).seen(), lambda path: b"")
    with pytest.raises(Diverged, match="has 49 entries, and 50 were signed before") as caught:
        follow(honest, Log(chain(49)).seen(), lambda path: b"")
    assert caught.value.state == "shortened"


@given(st.integers(1, 600), st.integers(1, 600), st.binary(min_size=32, max_size=32), st.integers(0, 10**6))
def test_tiles_that_do_not_belong_to_the_checkpoint_prove_nothing(
    former: int, more: int, wrong: bytes, place: int
) -> None:
    log = Log(chain(former + more))
    honest = log.tile

    def lying(path: str) -> bytes:
        data = bytearray(honest(path))
        start = place % (len(data) // 32) * 32
        data[start : start + 32] = wrong
        return bytes(data)

    try:
        follow(log.seen(former), log.seen(), lying)
    except RemoteError as error:
        assert not isinstance(error, Diverged)  # noqa: PT017 (the history itself was not rewritten)


@pytest.mark.parametrize("tile", [lambda path: b"", lambda path: b"x" * 31, lambda path: b"x" * 8193])
def test_tiles_of_another_length_are_refused(tile: Callable[[str], bytes]) -> None:
    log = Log(chain(20))
    with pytest.raises(RemoteError, match="bytes, and not"):
        follow(log.seen(7), log.seen(), tile)


def test_a_restore_that_lost_nothing_and_one_that_did() -> None:
    other = ORIGIN.replace("4218e2bd", "00000000")
    log = Log(chain(30))
    assert follow(log.seen(20), log.seen(origin=other), log.tile) is True
    lost = Log([*chain(10), *chain(30)[:20]])
    with pytest.raises(Diverged, match="what came after the backup is lost") as caught:
        follow(log.seen(20), lost.seen(origin=other), lost.tile)
    assert caught.value.state == "reset"
    with pytest.raises(Diverged, match="after a restore from a backup, and 20 were signed before"):
        follow(log.seen(20), Log(chain(12)).seen(origin=other), log.tile)


@pytest.mark.parametrize(
    "origin", [ORIGIN.replace("crops", "soil"), ORIGIN.replace("91779b4c", "00000000"), "lab.example"]
)
def test_another_log_is_no_continuation(origin: str) -> None:
    log = Log(chain(5))
    present = Seen(sign(Checkpoint(origin, 5, log.seen().checkpoint.root).text, origin, [PRIVATE]), (KEY,))
    with pytest.raises(Diverged, match="is another log than") as caught:
        follow(log.seen(), present, log.tile)
    assert caught.value.state == "reset"


def test_who_has_to_sign() -> None:
    log, thief = Log(chain(5)), Ed25519PrivateKey.generate()
    own = VerifierKey(KEY.name, thief.public_key().public_bytes_raw())
    former = log.seen(3)
    with pytest.raises(Diverged, match="is not signed by a key that signed before"):
        read_checkpoint(former, log.signed(private=thief), [own])
    with pytest.raises(Diverged, match="is not signed by a key that is trusted"):
        read_checkpoint(None, log.signed(), [KEY], [own])
    with pytest.raises(RemoteError, match="is none"):
        read_checkpoint(former, log.signed().replace("\n5\n", "\n6\n"), [KEY])
    with pytest.raises(RemoteError, match="is none"):
        read_checkpoint(former, "nonsense", [KEY])
    # After a rotation both keys sign, and the new one is known from then on.
    text = log.seen().note.text
    both = read_checkpoint(former, str(sign(text, ORIGIN, [thief, PRIVATE])), [own, KEY])
    assert set(both.keys) == {KEY, own}
    assert read_checkpoint(both, log.signed(private=thief), [own]).keys == (own,)


def test_paths_of_tiles() -> None:
    """The examples of the specification."""
    assert tile_path(0, 1234067, 256) == "0/x001/x234/067"
    assert tile_path(1, 0, 3) == "1/000.p/3"
    assert tile_path(0, 999, 256) == "0/999"
    assert tile_path(0, 1000, 1) == "0/x001/000.p/1"
