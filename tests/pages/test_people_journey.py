"""A project and its people in a browser: sign in, create, invite, submit, review, embargo, publish, revoke."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from provrepo.repository.repository import Repository
from provrepo.repository.store import Store
from provrepo.server.app import create_app
from provrepo.server.protocol.addresses import URL
from provrepo.settings import Settings
from tests.support.browsing import Screen, browsing, serving
from tests.support.serving import PROVN

pytest.importorskip("authlib")

from tests.support.provider import ADA, CLIENT, SECRET, FakeProvider, running

pytestmark = pytest.mark.browser
BOB = {"sub": "bob-1", "name": "Bob", "email": "bob@lab.example", "email_verified": True}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Repository, str, FakeProvider]]:
    with running() as provider:
        settings = Settings(
            data=tmp_path / "data", workers=1, threads=4, rate_check=0,
            sign_in_issuer=provider.url, sign_in_client=CLIENT, sign_in_secret=SECRET,
        )  # fmt: skip
        with Store.open(settings) as store:
            owner = Repository(store, store.owner())
            owner.create_project("everybody", public=True)
            owner.add_user("Ada Lovelace", email="ada@lab.example")
            owner.set_administrator("Ada Lovelace", True)
            app = create_app(store)
            with serving(app) as address:
                app.config[URL] = f"{address}/"
                yield owner, address, provider


class Person:
    """Somebody in front of a screen."""

    def __init__(self, screen: Screen, address: str) -> None:
        self.screen, self.address = screen, address

    def at(self, path: str) -> None:
        self.screen.show(f"{self.address}{path}", width=1440)

    def click(self, what: str) -> None:
        """Click what a selector finds, and wait for the page to which it leads."""
        self.screen.wait(f"document.querySelectorAll({json.dumps(what)}).length === 1")
        self.screen.act(f"document.querySelector({json.dumps(what)}).click()")

    def type(self, field: str, text: str) -> None:
        self.screen.evaluate(
            f"(() => {{ const field = document.querySelector({json.dumps(field)}); field.value = {json.dumps(text)};"
            "field.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )

    def sees(self, text: str) -> None:
        """Wait until the page has a text."""
        self.screen.wait(f"document.querySelector('main')?.innerText.includes({json.dumps(text)})")

    def sign_in(self) -> None:
        self.at("/session")
        self.enter()

    def enter(self) -> None:
        """Sign in from the page to which this leads; the provider asks nothing."""
        self.click("a.button[href*='sign-in']")
        self.screen.wait("!location.pathname.startsWith('/session')")

    def sign_out(self) -> None:
        self.at("/session")
        self.click("main form[action*='end'] button")


def test_a_project_from_its_first_day_to_its_publication(
    place: tuple[Repository, str, FakeProvider], tmp_path_factory: pytest.TempPathFactory
) -> None:
    owner, address, provider = place
    with browsing(tmp_path_factory.mktemp("profile")) as screen:
        ada = bob = Person(screen, address)  # one after the other at the same machine

        # Ada signs in, creates a project, asks for reviews, and invites.
        provider.person = dict(ADA)
        ada.sign_in()
        ada.at("/session")
        ada.sees("Signed in as Ada Lovelace")
        ada.at("/projects")
        ada.click("a[href='/new-project']")
        ada.type("#name", "wheat")
        ada.type("#title", "Wheat of 2026")
        ada.click("main form button")
        ada.sees("Wheat of 2026")
        ada.at("/projects/wheat/members")
        ada.click("button[value=reviews]")
        ada.sees("wait until a curator accepts them")
        screen.evaluate("document.querySelector('#invited').value = 'submitter'")
        ada.click("button[value=invite]")
        link = str(screen.evaluate("document.querySelector('[role=status] code').textContent"))
        assert link.startswith(f"{address}/invitations/")
        assert "#" in link
        ada.sign_out()

        # Bob, whom nobody knows yet, follows the link.
        provider.person = dict(BOB)
        screen.show(link, width=1440)
        bob.sees("Take part in project wheat")
        bob.click("main a[href^='/session']")
        bob.enter()
        bob.sees("Accept as Bob")
        kept = screen.evaluate("document.querySelector('#secret').value")  # while Bob signed in
        assert kept == link.partition("#")[2]
        screen.evaluate(f"document.querySelector('#secret').value = ''; location.href = {json.dumps(link)}")
        screen.wait("document.querySelector('#secret').value && !location.hash")
        bob.click("main form.signing button")
        bob.sees("Wheat of 2026")
        assert [(one.name, one.role) for one in owner.members("wheat")] == [("Bob", "submitter")]

        # What Bob submits waits. He sees it; the dataset does not have it.
        bob.at("/submit?project=wheat")
        bob.type("#name", "harvest")
        bob.type("#text", PROVN.decode())
        screen.wait("!document.querySelector('#submission').classList.contains('waiting')")
        bob.click("button[value=store]")
        bob.sees("waits")
        (waiting,) = owner.pending("wheat")
        assert owner.documents("wheat") == []
        bob.sign_out()

        # Ada accepts it, and sets an embargo.
        provider.person = dict(ADA)
        ada.sign_in()
        ada.at(f"/projects/wheat/pending/{waiting.id}")
        ada.sees("Bob")
        ada.click("button[value=accept]")
        ada.sees("Accepted as")
        assert [one.name for one in owner.documents("wheat")] == ["harvest"]
        ada.at("/projects/wheat/exposure")
        ada.type("#until", "2099-01-31")
        ada.click("button[value=embargo]")
        ada.sees("Under an embargo")
        assert owner.project("wheat").embargo == "2099-01-31T00:00:00.000Z"
        assert not owner.project("wheat").public

        # One document is published at once, after a look at what everybody can read then.
        ada.at("/projects/wheat/documents/harvest/publication?to=everybody")
        ada.sees("https://example.org/ada")
        ada.click("main form[method=post] button")
        screen.wait("location.pathname.startsWith('/projects/everybody')")
        assert [one.name for one in owner.documents("everybody")] == ["harvest"]

        # Bob leaves.
        ada.at("/projects/wheat/members")
        ada.click("button[value=remove]")
        ada.sees("Nobody has a role")
        assert owner.members("wheat") == []
        ada.sign_out()
        provider.person = dict(BOB)
        bob.sign_in()
        bob.at("/projects/wheat")
        bob.sees("There is nothing here")
        bob.at("/projects/everybody/documents/harvest")
        bob.sees("harvest")
