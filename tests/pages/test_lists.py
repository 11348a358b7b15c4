"""Lists by address: each is filtered, sorted and cut into parts, and its page has what the JSON of the address has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from tests.support.serving import BROWSER, PROVN, Site, opened

LISTS = {
    "/projects": ("projects", lambda item: item["name"], "name", "documents"),
    "/projects/open/documents/many/versions": (
        "versions",
        lambda item: f"Version {item['version']}",
        "oldest",
        "newest",
    ),
    "/projects/open/pending": ("pending", lambda item: item["name"], "name", "newest"),
    "/projects/open/audit?action=submit": ("events", lambda item: item["action"], "oldest", "newest"),
    "/projects/open/ledger": ("entries", lambda item: str(item["sequence"]), "oldest", "newest"),
    "/peers": ("peers", lambda item: item["name"], "peer", "server"),
}
"""By address: the member of the JSON, what the first cell of a row says of an item, and two orders."""

FILTERED = [path for path in LISTS if not path.endswith(("=submit", "/ledger"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        for name, title in (("wheat", "Yields of wheat"), ("barley", "Yields of barley"), ("archive", "Old things")):
            site.owner.create_project(name, public=True, title=title)
        for number in range(7):
            site.submit("many", PROVN + b"\n" * number)
        site.submit("apart", project="wheat")
        for number in range(5):
            site.owner.submit_for_review(
                PROVN + b"\n" * (number + 20), project="open", name=f"review-{'abcde'[number]}", format="provn"
            )
        for name, host in (("coast", "a"), ("alps", "c"), ("basin", "b")):
            site.owner.add_peer(name, f"https://{host}.example/")
        yield site


def of(site: Site, path: str, accept: str = "application/json", status: int = 200) -> Any:
    answer = site.client.get(path, headers={"Accept": accept, **site.auth("all")})
    assert answer.status_code == status, (path, answer.text)
    return answer


def of_list(path: str) -> str:
    """The address of a list, to which parameters are added."""
    return path + ("&" if "?" in path else "?")


def cells(page: str) -> list[str]:
    """The text of the first cell of each row."""
    rows = re.findall(r"(?s)<tr>\s*<t[hd][^>]*>(.*?)</t[hd]>", page.partition("<tbody>")[2])
    return [" ".join(unescape(re.sub(r"<[^>]+>", "", row)).split()) for row in rows]


def following(answer: Any) -> str:
    found = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("path", LISTS)
def test_the_page_has_the_items_of_the_json_in_their_order(site: Site, path: str) -> None:
    member, first, *orders = LISTS[path]
    for query in ("limit=2", "limit=3", *(f"sort={order}&limit=3" for order in orders)):
        address = f"{of_list(path)}{query}"
        items = of(site, address).get_json()[member]
        assert items, address
        shown = cells(of(site, address, BROWSER).text)
        if path.endswith("versions") and "sort" not in query:
            shown.reverse()  # Clients read versions in the order in which they were made, people the newest first.
        assert shown == [first(item) for item in items], address


@pytest.mark.parametrize("path", LISTS)
def test_orders_are_orders_and_parts_make_the_whole(site: Site, path: str) -> None:
    member, first, one, other = LISTS[path]
    wholes = []
    for order in (one, other):
        whole = of(site, f"{of_list(path)}sort={order}&limit=1000").get_json()[member]
        seen, address = [], f"{of_list(path)}sort={order}&limit=2"
        pages = 0
        while address:
            answer = of(site, address)
            part = answer.get_json()[member]
            page = of(site, address, BROWSER).text
            assert cells(page) == [first(item) for item in part], address
            assert bool(following(answer)) == ('rel="next"' in page), address
            seen += part
            address = following(answer)
            pages += 1
            assert pages < 60
        assert seen == whole
        assert pages > 1
        wholes.append(whole)
    assert wholes[0] != wholes[1]
    assert sorted(map(repr, wholes[0])) == sorted(map(repr, wholes[1]))


@pytest.mark.parametrize("path", FILTERED)
def test_words_narrow_a_list(site: Site, path: str) -> None:
    member, first, *_ = LISTS[path]
    whole = of(site, f"{of_list(path)}sort={LISTS[path][2]}").get_json()
    wanted = {"/projects": "YIELDS wheat", "/peers": "alps"}.get(path, "c")
    if path.endswith("versions"):
        wanted = whole["versions"][3]["sha256"]
    if path.endswith("pending"):
        wanted = "review-c"
    found = of(site, f"{of_list(path)}q={wanted}&sort={LISTS[path][2]}").get_json()
    assert found["total"] == len(found[member]) == 1 < whole["total"] == len(whole[member])
    page = of(site, f"{of_list(path)}q={wanted}", BROWSER).text
    assert cells(page) == [first(found[member][0])]
    assert f"of {whole['total']}" in page
    nothing = of(site, f"{of_list(path)}q=no-such-words-anywhere", BROWSER).text
    assert "fits" in nothing
    assert of(site, f"{of_list(path)}q=no-such-words-anywhere").get_json()[member] == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("wrong", ["sort=size-of-letters", "limit=none"])
def test_an_order_that_there_is_not_is_refused(site: Site, path: str, wrong: str) -> None:
    for accept in ("application/json", BROWSER):
        assert wrong.partition("=")[0] in of(site, f"{of_list(path)}{wrong}", accept, 400).text


def test_the_ledger_is_narrowed_by_kind(site: Site) -> None:
    every = of(site, "/projects/open/ledger?limit=1000").get_json()["entries"]
    wanted = [each["sequence"] for each in every if each["entry"]["kind"] == "submit"]
    assert 0 < len(wanted) < len(every)
    seen, address = [], "/projects/open/ledger?kind=submit&limit=2&sort=newest"
    while address:
        answer = of(site, address)
        seen += [each["sequence"] for each in answer.get_json()["entries"]]
        address = following(answer)
    assert seen == wanted[::-1]
    lines = of(site, "/projects/open/ledger?kind=submit", "application/x-ndjson", 400)
    assert "kind=" in lines.text
    for wrong in ("before=3", "after=3&sort=newest", "kind=nothing", "before=x&sort=newest"):
        of(site, f"/projects/open/ledger?{wrong}", status=400)


def test_an_audit_has_the_newest_events_first(site: Site) -> None:
    path = "/projects/open/audit?limit=5&sort="
    events = of(site, path + "newest").get_json()["events"]
    times = [event["time"] for event in events]
    assert times == sorted(times, reverse=True)
    assert times[-1] > of(site, path + "oldest").get_json()["events"][-1]["time"]
    assert "5 events, newest first" in of(site, path + "newest", BROWSER).text
