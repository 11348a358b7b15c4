"""Merkle trees of RFC 6962: hashes, the proofs that they allow, and the check of these proofs.

A tree is a list of leaves. Whoever knows the root of n leaves can be shown with about log2(n) hashes that a leaf is one
of them (an inclusion proof), or that a smaller tree is the beginning of this one (a consistency proof).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

__all__ = [
    "EMPTY",
    "SIZE",
    "consistency_proof",
    "inclusion_proof",
    "is_consistent",
    "is_included",
    "leaf_hash",
    "node_hash",
    "perfect_root",
    "root",
]

SIZE = 32
"""Bytes of a hash."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, section 2.1)."""

Subtree = Callable[[int, int], bytes]
"""Called with a level and an index, returns the root of the leaves from index·2^level up to (index + 1)·2^level."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of leaves or nodes, whose number is a power of two."""
    level = hashes
    sha256 = hashlib.sha256
    while len(level) > 1:
        level = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
    return level[0]


def root(subtree: Subtree, size: int) -> bytes:
    """Return the root of the first leaves of a tree.

    Args:
        subtree: returns the roots of complete subtrees.
        size: the number of leaves.
    """
    return _root(subtree, 0, size) if size else EMPTY


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """Return the hashes that prove a leaf to be in a tree, from the leaf to the root (RFC 6962, section 2.1.1).

    Args:
        subtree: returns the roots of complete subtrees.
        index: the number of the leaf, from 0.
        size: the number of leaves of the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_root(subtree, middle, end))
            end = middle
        else:
            proof.append(_root(subtree, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(subtree: Subtree, first: int, second: int) -> list[bytes]:
    """Return the hashes that prove a tree to be the beginning of another (RFC 6962, section 2.1.2).

    Args:
        subtree: returns the roots of complete subtrees.
        first: the number of leaves of the smaller tree, from 1.
        second: the number of leaves of the larger tree.
    """
    if not 0 < first <= second:
        raise ValueError(f"no proof leads from {first} leaves to {second}")
    proof: list[bytes] = []
    start, end = 0, second
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(_root(subtree, middle, end))
            end = middle
        else:
            proof.append(_root(subtree, start, middle))
            start = middle
    if start:
        proof.append(_root(subtree, start, end))
    return proof[::-1]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162, section 2.1.3.2).

    A proof does not say how large the tree is: the size must come from the same signed checkpoint as the root.

    Args:
        leaf: the hash of the leaf.
        index: its number, from 0.
        size: the number of leaves of the tree.
        proof: the hashes, from the leaf to the root.
        root: the root of the tree.
    """
    if not 0 <= index < size or any(len(each) != SIZE for each in proof):
        return False
    number, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(each, found)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, each)
        number, last = number >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162, section 2.1.4.2).

    Args:
        first: the number of leaves of the smaller tree, from 1.
        first_root: its root.
        second: the number of leaves of the larger tree.
        second_root: its root.
        proof: the hashes of ``consistency_proof``.
    """
    if not 0 < first <= second or any(len(each) != SIZE for each in proof):
        return False
    if first == second:
        return not proof and first_root == second_root
    hashes = list(proof)
    if first & (first - 1) == 0:
        hashes.insert(0, first_root)
    if not hashes:
        return False
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    former = latter = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            former, latter = node_hash(each, former), node_hash(each, latter)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            latter = node_hash(latter, each)
        number, last = number >> 1, last >> 1
    return last == 0 and former == first_root and latter == second_root


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than a size of at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(subtree: Subtree, start: int, end: int) -> bytes:
    """Return the root of some leaves, which are complete subtrees from left to right."""
    parts: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(subtree(level, start >> level))
        start += 1 << level
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found
