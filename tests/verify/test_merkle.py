"""Merkle trees: the vectors of RFC 6962, and proofs against a tree that follows the definition word for word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provrepo.verify.merkle import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root,
)

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The leaves and roots of the reference implementation of Certificate Transparency."""

HASHES = [leaf_hash(bytes([number])) for number in range(80)]


def by_definition(leaves: list[bytes]) -> bytes:
    """The root of a tree (RFC 6962, section 2.1)."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def subtree(level: int, index: int) -> bytes:
    return by_definition(HASHES[index << level : (index + 1) << level])


def test_the_vectors_of_certificate_transparency() -> None:
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    for size, expected in enumerate(ROOTS, 1):
        found = root(lambda level, index: by_definition(hashes[index << level : (index + 1) << level]), size)
        assert found.hex() == expected
    assert root(subtree, 0).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    # The proofs of that implementation: leaf 5 of 8, and 6 of 8 leaves (numbered from 0).
    read = lambda level, index: by_definition(hashes[index << level : (index + 1) << level])  # noqa: E731
    assert [each.hex()[:8] for each in inclusion_proof(read, 5, 8)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert [each.hex()[:8] for each in consistency_proof(read, 6, 8)] == ["0ebc5d34", "ca854ea1", "d37ee418"]


def test_every_proof_of_small_trees() -> None:
    for size in range(1, 36):
        whole = root(subtree, size)
        assert whole == by_definition(HASHES[:size])
        for index in range(size):
            proof = inclusion_proof(subtree, index, size)
            assert is_included(HASHES[index], index, size, proof, whole)
            assert not is_included(HASHES[index + 1], index, size, proof, whole)
            assert not is_included(HASHES[index], index + 1, size, proof, whole)
            assert not is_included(HASHES[index], index, size, [*proof, EMPTY], whole)
        for first in range(1, size + 1):
            proof, former = consistency_proof(subtree, first, size), root(subtree, first)
            assert is_consistent(first, former, size, whole, proof)
            assert first == size or not is_consistent(first, EMPTY, size, whole, proof)
            assert not is_consistent(first, former, size, EMPTY, proof)
            assert not is_consistent(first, former, size, whole, [*proof, EMPTY])


@given(st.data())
def test_another_hash_in_a_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(HASHES)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(subtree, index, size)
    place = data.draw(st.integers(0, len(proof) - 1))
    proof[place] = data.draw(st.binary(max_size=40).filter(lambda other: other != proof[place]))
    assert not is_included(HASHES[index], index, size, proof, root(subtree, size))


def test_a_proof_does_not_bind_the_size() -> None:
    """The reason why a receipt takes it from the signed checkpoint alone."""
    proof = inclusion_proof(subtree, 5, 7)
    sizes = [size for size in range(1, 20) if is_included(HASHES[5], 5, size, proof, root(subtree, 7))]
    assert 7 in sizes
    assert len(sizes) > 1
