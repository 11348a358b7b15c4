"""Addresses are built as werkzeug builds them, by functions that are made when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from provrepo.server.app import create_app
from provrepo.server.protocol.late_rules import LateRule
from tests.support.serving import Site, opened

RULES: list[tuple[str, dict[str, Any]]] = [
    ("/projects/<project>/documents/<document>", {}),
    ("/versions/<int:number>", {}),
    ("/a/<path:rest>", {}),
    ("/page/", {"defaults": {"number": 1}}),
    ("/p/<int:number>", {"defaults": {"number": 1}}),
]
VALUES: list[dict[str, Any]] = [
    {"project": "a b", "document": "é/ü", "q": "1&2"},
    {"number": 1},
    {"number": 7, "more": ["x", "y"]},
    {"rest": "b/c d"},
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.mark.parametrize("append_unknown", [True, False])
@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize(("rule", "options"), RULES)
def test_an_address_is_the_same(
    rule: str, options: dict[str, Any], values: dict[str, Any], append_unknown: bool
) -> None:
    built = []
    for kind in (Rule, LateRule):
        made = kind(rule, endpoint="there", **options)
        Map([made])
        try:
            built.append(made.build(values, append_unknown=append_unknown))
        except TypeError as error:  # a value is missing
            built.append(str(error))
    assert built[0] == built[1]


def test_an_application_is_made_without_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    compile_builder = Rule._compile_builder

    def counted(self: Rule, append_unknown: bool = True) -> Any:
        made.append(self.rule)
        return compile_builder(self, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", counted)
    app = create_app(site.store)
    assert {rule for rule in made if not rule.startswith("/static/")} == set()
    assert len(list(app.url_map.iter_rules())) > 50
    del made[:]
    with app.test_request_context():
        assert [app.url_for("documents.current", project="p", document=name) for name in ("a", "b")][1].endswith("/b")
    assert len(made) <= 2, "one rule, with and without unknown values"
