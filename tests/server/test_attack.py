"""A short run of the attack on read and write permissions (``tests/support/attack_access.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.attack_access import CANARIES, SECRET, Found, attacked, prepared
from tests.support.serving import Site, opened

CASES = 400


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("attacked")) as site:
        prepared(site)
        yield site


@pytest.fixture(scope="module")
def found(site: Site) -> Found:
    return attacked(site, CASES, seed=1)


def test_nothing_private_is_in_any_answer(found: Found) -> None:
    assert found.problems == []
    assert found.statuses.total() == CASES
    assert len(found.statuses) > 6


def test_no_write_succeeds_without_permission(found: Found) -> None:
    assert found.entries == 0


def test_authorized_callers_see_the_canaries(site: Site) -> None:
    """Otherwise the attack would search for strings that do not exist."""
    here = f"/projects/{SECRET}"
    paths = (
        here,
        f"{here}/documents?withdrawn=true",
        f"{here}/documents/private",
        f"{here}/documents/private/metadata",
    )
    text = "".join(
        site.client.get(path, headers=site.auth("all")).get_data(as_text=True)
        for path in (*paths, f"{here}/documents/private/pingbacks", f"{here}/documents/by-user/metadata")
    )
    assert [canary for canary in CANARIES if canary not in text] == []


def test_an_attack_that_succeeds_is_found(tmp_path: Path) -> None:
    """If the private project is made public, the attack finds canaries, different responses, and its name."""
    with opened(tmp_path) as site:
        prepared(site)
        site.owner.set_project(SECRET, public=True)
        problems = " ".join(attacked(site, 3 * CASES, seed=2).problems)
    assert "has kanari" in problems
    assert "where there is no such project" in problems
