"""Random operations of random callers end, and show, what a simple model says."""

from __future__ import annotations

from pathlib import Path

import pytest

from provrepo.repository import access
from provrepo.repository.people.roles import Right
from provrepo.repository.records import Actor
from tests.support.random_access import walked
from tests.support.sampling import ALL, FULL, SEED

OPERATIONS = 10_000 if ALL else 1_000 if FULL else 100


def test_random_operations_end_as_the_model_says(tmp_path: Path) -> None:
    walk = walked(tmp_path / "data", OPERATIONS, SEED)
    assert walk.problems == [], f"seed {SEED}"
    assert walk.done["compared"] > OPERATIONS // 2
    assert walk.done["submit 201"] > 0


def test_a_right_too_many_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rights = access.rights

    def lax(actor: Actor, project: str, *, public: bool) -> frozenset[Right]:
        found = rights(actor, project, public=public)
        return found | {Right.READ} if actor.scopes is not None else found

    monkeypatch.setattr(access, "rights", lax)
    assert walked(tmp_path / "data", 200, 1).problems


def test_a_right_too_few_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rights = access.rights

    def strict(actor: Actor, project: str, *, public: bool) -> frozenset[Right]:
        return rights(actor, project, public=public) - {Right.MANAGE}

    monkeypatch.setattr(access, "rights", strict)
    assert walked(tmp_path / "data", 200, 1).problems
