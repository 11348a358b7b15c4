"""Page and JSON of each list have the same items, and the links to the next part lead to all of them, on both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from provrepo.limits import PAGE_SIZE
from tests.server.test_sessions import HERE, signed_in
from tests.support.large import enlarged
from tests.support.serving import Site

LISTS = {
    "/projects": ("projects", "name", r'<th scope="row"><a href="/projects/([^"/]+)">'),
    "/projects/open/documents": ("documents", "name", r'<th scope="row"><a href="/projects/open/documents/([^"/]+)">'),
    "/projects/open/documents/versions/versions": ("versions", "version", r"/documents/versions/versions/(\d+)\">"),
    "/projects/open/pending": ("pending", "id", r"/pending/([0-9a-f-]{36})\">"),
    "/projects/open/ledger": ("entries", "sequence", r"<tr>\s*<t[hd][^>]*>(\d+)</t[hd]>"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with enlarged(tmp_path_factory.mktemp("site") / "data") as found:
        yield found


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [None, 7])
def test_page_and_json_have_the_same_items(site: Site, path: str, limit: int | None) -> None:
    member, key, pattern = LISTS[path]
    client = signed_in(site)
    address: str | None = f"{path}?{urlencode({'limit': limit})}" if limit else path
    seen: list[str] = []
    parts = 0
    while address:
        answer = client.get(f"{address}{'&' if '?' in address else '?'}format=json", headers=HERE)
        items = [str(each[key]) for each in answer.json[member]]
        assert len(items) <= (limit or PAGE_SIZE)
        text = client.get(address, headers=HERE).text
        assert sorted(set(re.findall(pattern, text))) == sorted(items), address
        seen += items
        parts += 1
        following = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        assert ('rel="next"' in text) == (following is not None), address
        address = following[1].replace("&format=json", "").replace("format=json&", "") if following else None
        if "total" in answer.json and path != "/projects/open/documents/versions/versions":
            total = answer.json["total"]
    assert len(seen) == len(set(seen))
    if path not in ("/projects/open/ledger", "/projects/open/documents/versions/versions"):
        assert len(seen) == total
    assert parts > 1 or len(seen) <= (limit or PAGE_SIZE)
