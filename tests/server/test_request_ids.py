"""Request ids: that of the client if it is safe; in responses, problems and the log."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator

import pytest

from provrepo.server.protocol.headers import LogFilter
from tests.support.serving import Site, opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


GOOD = [
    "a",
    "build-42",
    "0af7651916cd43dd8448eb211c80319c",
    "A.b_c-9",
    "x" * 64,
    "15c8a18d-4b88-4797-933c-a5de32cc1cf5",
]


@pytest.mark.parametrize("given", GOOD)
def test_a_safe_id_of_the_client_is_used(site: Site, given: str) -> None:
    answer = site.client.get("/projects?limit=0", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert answer.get_json()["request_id"] == given
    instance = answer.get_json().get("instance")
    assert instance == (f"urn:uuid:{given}" if len(given) == 36 else None)


@pytest.mark.parametrize(
    "given",
    ["", " ", "x" * 65, "a b", "a\tb", "ünï", "-a", ".a", "a;b", "a,b", "<b>", "a/b", "a\x7f", "%0d%0a", "a:b", "{x}"],
)
def test_any_other_is_replaced(site: Site, given: str) -> None:
    answer = site.client.get("/projects", headers={"X-Request-Id": given})
    assert str(uuid.UUID(answer.headers["X-Request-Id"])) == answer.headers["X-Request-Id"] != given


def test_every_answer_has_one(site: Site) -> None:
    paths = ["/", "/nothing", "/health", "/static/style.css", "/projects/secret", "/api/v1/lineage"]
    found = [site.client.get(path).headers["X-Request-Id"] for path in paths]
    found.append(site.client.post("/").headers["X-Request-Id"])
    found.append(site.client.options("/sparql").headers["X-Request-Id"])
    assert len(set(found)) == len(found)


def test_404_is_the_same_for_private_and_unknown_projects(site: Site) -> None:
    answers = [site.client.get(f"/projects/{name}", headers={"X-Request-Id": name}) for name in ("secret", "missing")]
    assert answers[0].data == answers[1].data
    assert [answer.headers["X-Request-Id"] for answer in answers] == ["secret", "missing"]


def test_log_records_have_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(LogFilter())
    with site.app.test_request_context(headers={"X-Request-Id": "build-7"}):
        site.app.preprocess_request()
        logging.getLogger("provrepo.anything").warning("within")
    logging.getLogger("provrepo.anything").warning("beside")
    assert [getattr(record, "request_id", None) for record in caplog.records] == ["build-7", "-"]
