"""Query objects: the same options in Python, on the command line, over HTTP, in forms and in the documentation."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from provrepo.cli.lineage import lineage, search, thing
from provrepo.errors import UsageError
from provrepo.repository.lineage.query import (
    CommonQuery,
    ImpactQuery,
    LineageQuery,
    SearchQuery,
    ThingQuery,
    TraversalQuery,
)
from provrepo.repository.options import Kind, Option, options
from provrepo.repository.repository import Repository
from provrepo.server.pages.forms import controls
from provrepo.server.routing.routes import OPERATIONS
from tests.support.paths import ROOT

QUERIES = {
    "lineage": LineageQuery,
    "impact": ImpactQuery,
    "common": CommonQuery,
    "thing": ThingQuery,
    "search": SearchQuery,
}
COMMANDS: dict[str, Any] = {"lineage": lineage, "thing": thing, "search": search}
EX = "https://example.org/"


@pytest.mark.parametrize("name", QUERIES)
def test_a_verb_has_the_parameters_of_its_query(name: str) -> None:
    query = QUERIES[name]
    verb = inspect.signature(getattr(Repository, name)).parameters
    constructor = inspect.signature(query).parameters
    assert next(iter(verb)) == "self"
    assert {key: (p.kind, p.default) for key, p in verb.items() if key != "self"} == {
        key: (p.kind, p.default) for key, p in constructor.items()
    }
    doc = inspect.getdoc(getattr(Repository, name)) or ""
    assert [key for key in constructor if f"\n    {key}: " not in doc] == []
    assert doc.index("\nArgs:\n") < doc.index("\nRaises:\n")


@pytest.mark.parametrize("name", QUERIES)
def test_an_address_has_the_parameters_of_its_query(name: str) -> None:
    described = {found.name for found in OPERATIONS[f"lineage.{name}", "GET"].parameters}
    known = {each.parameter for each in options(QUERIES[name]) if each.option.kind is not Kind.PYTHON}
    of_picture = {"collapse", "expand", "group", "open", "page", "part"} if name == "lineage" else set()
    assert described == known | {"format"} | of_picture


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_options_of_its_query(name: str) -> None:
    command: click.Command = COMMANDS[name]
    flags = {flag for parameter in command.params for flag in parameter.opts}
    wanted = [each for each in options(QUERIES[name]) if not each.required and each.option.kind is not Kind.PYTHON]
    assert [each.flag for each in wanted if each.flag not in flags] == []


def test_a_form_has_a_control_for_each_option_with_a_label() -> None:
    values = {"stop": ["prov:Plan", "prov:Agent"], "strict": ["true"], "depth": ["3"]}
    found = controls(LineageQuery, lambda name: values.get(name, []), {"relation": {"used": "used"}})
    assert {each.name for each in found} == {each.parameter for each in options(LineageQuery) if each.option.label}
    assert [(each.id, *each.values) for each in found if each.name == "stop"] == [
        ("stop-1", "prov:Plan"),
        ("stop-2", "prov:Agent"),
    ]
    types = {each.name: each.type for each in found}
    assert (types["depth"], types["strict"], types["direction"]) == ("number", "checkbox", "select")
    assert (types["relation"], types["to"]) == ("multiple", "text")
    assert len({each.id for each in found}) == len(found)


def test_every_field_is_an_option() -> None:
    for query in QUERIES.values():
        assert all(isinstance(field.metadata["option"], Option) for field in dataclasses.fields(query))
        assert [each.name for each in options(query) if each.option.kind is Kind.NUMBER and not each.option.most] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"direction": "sideways"}, "'sideways' is not a direction; use one of upstream, downstream, both"),
        ({"depth": 0}, "depth is a positive number, not 0"),
        ({"limit": -1}, "limit is a positive number, not -1"),
        ({"to": "b"}, "'b' is not an absolute IRI"),
        ({"relations": ["made"]}, "lineage follows no relation 'made'"),
        ({"relations": ["used"], "strict": True}, "strict lineage follows wasDerivedFrom alone"),
        ({"stop": ["Plan"]}, "stop at 'Plan': a type is an absolute IRI"),
    ],
)
def test_a_query_refuses_values_of_another_kind(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LineageQuery(EX, **values)


def test_a_common_query_names_each_thing_once() -> None:
    assert CommonQuery([EX, EX + "a", EX]).starts() == (EX, EX + "a")
    with pytest.raises(UsageError, match="2 to 20 different things"):
        CommonQuery([EX, EX])


def test_traversals_of_a_query() -> None:
    query: TraversalQuery = LineageQuery(EX, relations=["alternateOf"], stop=["prov:Plan"], depth=2)
    upstream, downstream = query.traversals("both")
    assert (upstream.upstream, downstream.upstream) == (True, False)
    assert upstream.alternates, "naming the relation requests it"
    assert upstream.stop == {"http://www.w3.org/ns/prov#Plan"}
    assert [each.upstream for each in query.traversals()] == [True]


def test_type_checkers_see_the_options(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import provrepo\n"
        "repo = provrepo.open('data')\n"
        "repo.lineage('a', directon='both')\n"
        "repo.lineage('a', depth='3')\n"
        "repo.impact('a', to='b')\n"
        "repo.search('a', limit=3)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(script)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line.split(": ", 1)[0].rpartition(":")[2] for line in ran.stdout.splitlines() if "error" in line]
    assert lines[:3] == ["3", "4", "5"], ran.stdout
    assert "Found 3 errors" in ran.stdout
