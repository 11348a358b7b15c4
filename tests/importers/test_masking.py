"""Secrets in events are in no statement, no index, no answer and no message, wherever they stand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provrepo.codecs import formats
from provrepo.importers.masking import masked, without_login
from provrepo.importers.openlineage.index import indexed
from tests.support.paths import ROOT
from tests.support.sampling import examples

SECRET = "Zq7hunter2hunter2"

TEXTS = [
    f"postgres://ann:{SECRET}@db.lab:5432/x",
    f"https://h.example/x?a=1&sig={SECRET}",
    f"jdbc:postgresql://h/db?user=ann&password={SECRET}",
    f"Server=h;Uid=ann;Pwd={SECRET};",
    f"ann:{SECRET}@db.lab/x",
    f"password={SECRET}",
    f"fs.s3a.access.key={SECRET}",
    f"ghp_{SECRET}{SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"run --password {SECRET}",
    json.dumps({"a": {"password": SECRET}}),
    json.dumps(json.dumps({"a": {"password": SECRET}})),
]
"""Texts with a secret: in URLs, their queries and their logins, in assignments, headers, command lines and JSON."""

MEMBERS: list[dict[str, Any]] = [
    {"password": SECRET},
    {"passwords": [SECRET]},
    {"credentials": {"user": "ann", "x": SECRET}},
    {"fs.azure.account.key.x": SECRET},
    {"parameters": [{"key": "db_password", "value": SECRET}, {"name": "api.token", "value": SECRET}]},
    {"environmentVariables": [{"name": "DB", "value": SECRET, "more": [SECRET]}]},
    {"environmentVariables": {"DB": SECRET}},
]
"""Members with a secret: below names of secrets, in pairs, and in environments."""

EVENTS = [json.loads(line) for line in (ROOT / "tests/data/openlineage/every-facet.jsonl").read_text().splitlines()]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all texts and objects of a JSON value."""
    found = [path] if isinstance(value, str | dict) else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [each for key, item in pairs for each in places(item, (*path, key))]


def planted(event: Any, path: tuple[Any, ...], text: str, members: dict[str, Any]) -> Any:
    """An event with a secret at a path: instead of a text, or in an object as a value and as a key."""
    if not path:
        return {**event, **members, text: 1} if isinstance(event, dict) else text
    changed = dict(event) if isinstance(event, dict) else list(event)
    changed[path[0]] = planted(event[path[0]], path[1:], text, members)
    return changed


@given(st.sampled_from(EVENTS), st.data())
@settings(max_examples=examples(40), deadline=None)
def test_no_secret_of_an_event_is_told_wherever_it_stands(event: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([each for each in places(event) if each != ("eventTime",)]))
    found = planted(event, path, data.draw(st.sampled_from(TEXTS)), data.draw(st.sampled_from(MEMBERS)))
    sent = json.dumps(found).encode()
    document = formats.read(sent, format="openlineage")
    assert SECRET not in str([(each.kind, each.id, each.args, list(each.attributes)) for each in document])
    assert SECRET not in str(document.warnings)
    assert SECRET not in json.dumps(indexed(sent))
    assert SECRET not in json.dumps(masked(found))


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_has_no_secret(text: str) -> None:
    assert SECRET in text
    assert SECRET not in without_login(text)
    assert SECRET not in without_login(f"the 2.{text}")


@pytest.mark.parametrize(
    "name", ["s3://lab/t/key=7/part?version=3", "postgres://db:5432", "token:count", "lab.primary_key", "a?x=1&y=2"]
)
def test_names_without_secrets_stay_different(name: str) -> None:
    assert without_login(name) == name


def test_columns_that_are_called_like_secrets_keep_their_lineage_and_metrics() -> None:
    facets = {
        "columnMetrics": {"customer_key": {"nullCount": 3, "distinctCount": 7}},
        "fields": {"token": {"inputFields": [{"namespace": "lab", "name": "raw", "field": "pin"}]}},
    }
    assert masked(facets) == facets


@pytest.mark.parametrize(
    "sql",
    [
        "select * from a join b on a.customer_key = b.customer_key",
        "merge into t using s on (t.dbt_unique_key = s.dbt_unique_key) when matched then update set x = 1",
    ],
)
def test_columns_that_are_compared_in_sql_are_no_secrets(sql: str) -> None:
    assert masked(sql) == sql
    assert SECRET not in masked(f"{sql} where a.password = '{SECRET}' or b.api_key={SECRET}")


def test_values_of_recorded_variables_stay() -> None:
    variables = [{"name": "TZ", "value": "UTC"}, {"name": "DB", "value": "s3cr3t"}]
    assert masked({"environmentVariables": variables}) == {
        "environmentVariables": [variables[0], {"name": "DB", "value": "(masked)"}]
    }
