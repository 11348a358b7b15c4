"""The verb ``query``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provrepo.cli import output
from provrepo.cli.context import REFERENCE, Invocation, Reference, pass_invocation
from provrepo.errors import ReadError, UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.codecs.results import QueryResult
    from provrepo.model.identifiers import Value

__all__ = ["query", "shown"]


@click.command()
@click.argument("text", required=False, metavar="QUERY")
@click.option("-f", "--file", metavar="FILE", help="A file with the query; - is stdin.")
@click.option("--name", "named", metavar="NAME", help="A named query; `--name list` lists them.")
@click.option("--param", "values", metavar="KEY=VALUE", multiple=True, help="A parameter of the named query.")
@click.option(
    "--project",
    "projects",
    metavar="P",
    multiple=True,
    help="The project to query; repeatable, to query several as one. Default: the project `default`.",
)
@click.option("--public", is_flag=True, help="Query all public projects together.")
@click.option(
    "--version", "reference", type=REFERENCE, help="Query one version in its original graphs, without inferred triples."
)
@click.option("--endpoint", metavar="URL", help="Query this SPARQL endpoint, with PROVREPO_TOKEN.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="The time limit, at most PROVREPO_QUERY_TIMEOUT or 30.",
)
@click.option(
    "--output",
    "style",
    type=click.Choice(["table", "json", "csv", "tsv", "xml", "turtle"]),
    default="table",
    show_default=True,
    help="The format of the result. Triples are written in Turtle.",
)
@click.option(
    "--quote-formulas", is_flag=True, help="In CSV, put an apostrophe before text that a spreadsheet would evaluate."
)
@pass_invocation
def query(
    invocation: Invocation,
    text: str | None,
    file: str | None,
    named: str | None,
    values: tuple[str, ...],
    projects: tuple[str, ...],
    public: bool,
    reference: Reference | None,
    endpoint: str | None,
    timeout: float | None,
    style: str,
    quote_formulas: bool,
) -> None:
    """Query with SPARQL 1.1: SELECT, ASK, CONSTRUCT or DESCRIBE.

    The dataset is a project, several projects, all public projects, one version, or another endpoint. It contains the
    current version of each document: each version as a named graph, and in the default graph the merged triples of all
    of them, each once, with the triples that follow by fixed rules. A query changes nothing. The prefixes prov, rdf,
    rdfs, xsd, dcterms, dcat, schema, foaf, spdx and provrepo are predeclared.
    """
    if sum(map(bool, (projects, public, reference, endpoint))) > 1:
        raise UsageError("--project, --public, --version and --endpoint exclude each other")
    if quote_formulas and style != "csv":
        raise UsageError("--quote-formulas is for --output csv")
    if named == "list":
        _list()
        return
    question = _question(text, file, named, values)
    if endpoint:
        result = _query_endpoint(invocation, endpoint, question, timeout)
    elif reference:
        result = _query_version(invocation, reference, question, timeout)
    else:
        with invocation.repository(follow=True) as repository:
            result = repository.query(question, project=projects or None, public=public, timeout=timeout)
    _show(result, style, quote_formulas=quote_formulas)


def _list() -> None:
    from provrepo.repository.queries.named import load

    rows = [[q.name, " ".join(p.name for p in q.parameters), q.question] for q in load()]
    output.table(["NAME", "PARAMETERS", "QUESTION"], rows)


def _question(text: str | None, file: str | None, named: str | None, values: tuple[str, ...]) -> str:
    if sum(given is not None for given in (text, file, named)) != 1:
        raise UsageError("give a query, a file with a query (-f), or the name of a query (--name)")
    if values and named is None:
        raise UsageError("--param is for queries with --name")
    if named is not None:
        from provrepo.repository.queries.named import by_name

        pairs = [value.partition("=") for value in values]
        if wrong := [key for key, equals, _ in pairs if not equals]:
            raise UsageError(f"--param {wrong[0]}: write KEY=VALUE")
        return by_name(named).bind({key: value for key, _, value in pairs})
    if text is not None:
        return text
    from provrepo.cli.documents import source
    from provrepo.codecs.formats import content

    data, _ = content(source(file or ""))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None


def _query_version(invocation: Invocation, reference: Reference, question: str, timeout: float | None) -> QueryResult:
    project, name, version = reference
    with invocation.repository() as repository:
        number = version or repository.version(project, name).version
        return repository.query_version(project, name, number, question, timeout=timeout)


def _query_endpoint(invocation: Invocation, endpoint: str, question: str, timeout: float | None) -> QueryResult:
    from provrepo.views.sparql.remote import query as query_remote

    settings = invocation.settings()
    return query_remote(
        endpoint, question, token=settings.token, timeout=min(timeout or settings.query_timeout, settings.query_timeout)
    )


def _show(result: QueryResult, style: str, *, quote_formulas: bool) -> None:
    if style == "json":
        output.json_text(result.write(style))
    elif style != "table":
        output.data(result.write(style, quote_formulas=quote_formulas))
    elif result.kind == "boolean":
        output.result("yes" if result.boolean else "no")
    elif result.kind == "graph":
        output.data(result.write("turtle"))
    else:
        rows = [[shown(row.get(name)) for name in result.variables] for row in result.rows]
        output.table([f"?{name}" for name in result.variables], rows)
        output.note(counted(len(result), "row"))


def shown(value: Value | None) -> str:
    """Return a term as one line for display: IRIs with well-known prefixes, literals without datatype."""
    from provrepo.model.identifiers import Literal
    from provrepo.vocab import PREDECLARED

    if value is None:
        return ""
    if isinstance(value, Literal):
        return " ".join(value.lexical.split()) + (f"@{value.language}" if value.language else "")
    for prefix, namespace in PREDECLARED.items():
        if value.startswith(namespace) and value[len(namespace) :].replace("_", "a").isalnum():
            return f"{prefix}:{value[len(namespace) :]}"
    return str(value)
