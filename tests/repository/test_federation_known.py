"""What shows that a peer knows a thing: mirrors, pingbacks, names below its URL, content, and what it named itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provrepo.ledger.exchange.mirrors import Mirror
from provrepo.ledger.pingbacks import Pinged
from provrepo.repository.federation.known import Known
from provrepo.repository.federation.records import FederatedSource
from provrepo.repository.federation.walk import Participant
from provrepo.repository.repository import Repository

EX = "https://example.org/"
URL = "https://lab-b.example/"
CONTENT = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"


class Silent:
    """A peer that is not asked."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def ask(self, question: Mapping[str, Any], *, seconds: float) -> Any:
        raise AssertionError(f"asked {question} within {seconds}")


def source(project: str, document: str = "run", graph: str = "urn:g") -> FederatedSource:
    return FederatedSource(project, document, 1, graph)


def test_what_a_peer_is_known_to_know(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.create_project("crops", public=True)
    for name in ("run", "other"):
        repository.submit(f"document prefix e <{EX}> entity(e:{name}) endDocument".encode(), project="crops", name=name)
    repository.add_peer("lab-b", URL)
    repository.add_peer("lab-c", "https://lab-c.example/")
    store = repository.context.store
    links = [
        Pinged("has_provenance", f"{URL}lineage?iri=x", f"{EX}anchored"),
        Pinged("has_provenance", f"{URL}documents/1"),
        Pinged("has_provenance", "https://stranger.example/", f"{EX}strange"),
    ]
    store.pingbacks.store("crops", "run", None, links, most=10)
    mirror = Mirror("copy", "soil", f"{URL}projects/soil", "", "")
    monkeypatch.setattr(store.ledger, "mirrors", lambda: [mirror])
    known = Known(repository.context, repository.peers())
    there, elsewhere = Participant(Silent("lab-b", URL)), Participant(Silent("lab-c", "https://lab-c.example/"))
    there.named.add(f"{EX}named")

    def asked(iri: str, *sources: FederatedSource) -> tuple[bool, bool]:
        return known.may_ask(there, iri, sources), known.may_ask(elsewhere, iri, sources)

    assert asked(CONTENT) == (True, True)
    assert asked(f"{URL}thing") == (True, False)
    assert asked(f"{EX}named") == (True, False)
    assert asked(f"{EX}anchored") == (True, False)
    assert asked(f"{EX}thing", source("copy")) == (True, False)
    assert asked(f"{EX}thing", source("crops", "run")) == (True, False)
    assert asked(f"{EX}thing", source("crops", "x", f"{URL}projects/soil/documents/x/versions/1")) == (True, False)
    assert asked(f"{EX}thing", source("crops", "other")) == (False, False)
    assert asked(f"{EX}strange") == (False, False)
    assert asked(f"{EX}thing") == (False, False)
