"""The verb ``import``: records of other tools as documents."""

from __future__ import annotations

import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import click

from provrepo.cli import output
from provrepo.cli.context import Invocation, json_option, pass_invocation
from provrepo.cli.imports.asking import asked, asks
from provrepo.cli.imports.following import Follower
from provrepo.errors import Error, UsageError
from provrepo.words import counted

if TYPE_CHECKING:
    from provrepo.repository.imports.verbs import Imported
    from provrepo.repository.repository import Repository

__all__ = ["import_"]

_POLL = 1.0
"""Seconds between two looks at a followed source."""


@click.command("import")
@click.argument("source", required=False)
@click.option("--from", "from_", metavar="NAME", help="The format. Default: detected by suffix and content.")
@click.option("--project", default="default", show_default=True, metavar="P", help="The project to import to.")
@click.option("--name", metavar="N", help="The name of the document: the source becomes one document.")
@click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME",
    help="An additional profile to those of the project; repeatable.",
)
@click.option("--base", metavar="IRI", help="The base for relative IRIs, and of the names that the importer mints.")
@click.option("--note", default="", metavar="TEXT", help="A note for the history of the documents.")
@click.option("--range", "range_", metavar="A..B", help="With --from git: the commits that B has and A has not.")
@click.option(
    "--experiment",
    "experiments",
    multiple=True,
    metavar="E",
    help="Of a server of MLflow: only the experiment with this name or number; repeatable.",
)
@click.option("--follow", is_flag=True, help="Import again whenever the file or folder changes, until Ctrl-C.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="The mapping file of a log of your own (TOML). Default: SOURCE.mapping.toml, if it exists.",
)
@click.option("--suggest-mapping", "suggest", is_flag=True, help="Write a first mapping file for the log SOURCE.")
@click.option("--list", "list_", is_flag=True, help="List the importers.")
@json_option
@pass_invocation
def import_(
    invocation: Invocation,
    source: str | None,
    from_: str | None,
    project: str,
    name: str | None,
    profiles: tuple[str, ...],
    base: str | None,
    note: str,
    range_: str | None,
    experiments: tuple[str, ...],
    follow: bool,
    mapping: Path | None,
    suggest: bool,
    list_: bool,
    style: str,
) -> int:
    """Store the records of another tool as documents.

    SOURCE is a file, a folder, a zip archive of files, or a URL; `-` is stdin. A source with the events of several runs
    becomes a document for each run, named run-ID. A document that exists gets a new version if its events changed. What
    cannot be stored is named, and the rest is stored (exit 1). The bytes that are stored are those of the tool. Only
    the URL itself is fetched; with --from mlflow it is the address of a server, which is asked for its runs. The
    history of a Git repository is imported with --from git alone. A CSV file or JSON lines of your own are read by a
    mapping file, which says what each column means; --suggest-mapping writes a first one.
    """
    if list_:
        _list(style)
        return 0
    if source is None:
        raise UsageError("name a file, a folder or a URL to import; --list shows what can be imported")
    options: dict[str, Any] = {"project": project, "name": name, "format": from_, "profiles": profiles}
    options |= {"base": base, "note": note, "range": range_}
    if suggest:
        from provrepo.importers.logs.suggesting import suggested

        output.result(suggested(source).rstrip("\n"))
        return 0
    if mapping is not None:
        options["mapping"] = mapping
    if asks(source, from_):
        with invocation.repository(follow=True) as repository:
            return _show(asked(repository, source, experiments, options), style)
    if experiments:
        raise UsageError("--experiment is for a server of MLflow: give its URL and --from mlflow")
    if "://" in source:
        options["file"] = PurePosixPath(unquote(urlsplit(source).path)).name or None
    if from_ is None and (Path(source) / ".git").exists():
        output.note(f"the Git history of {source} is not imported; `provrepo import {source} --from git` does that")
    with invocation.repository(follow=True) as repository:
        if follow:
            return _follow(repository, source, options, style)
        return _show(repository.import_documents(_content(invocation, source), **options), style)


def _content(invocation: Invocation, source: str) -> str | bytes:
    """The path, or the bytes of stdin or of a URL."""
    from provrepo.cli.documents import source as argument

    parts = urlsplit(source)
    if parts.scheme not in ("http", "https"):
        if parts.netloc:
            raise UsageError(f"{parts.scheme} is not fetched; give an http or https URL, a file or a folder")
        found = argument(source)
        return found if isinstance(found, bytes) else source
    from provrepo.http_client.client import HttpClient

    # No token goes to this address, and redirects are errors: only what the user named is fetched.
    with HttpClient(f"{parts.scheme}://{parts.netloc}/") as client:
        path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
        return client.get(path, limit=invocation.settings().max_body).content


def _follow(repository: Repository, source: str, options: dict[str, Any], style: str) -> int:
    """Import each file when it is there and whenever it has changed."""
    place, name = Path(source), options["name"]
    if options["format"] == "git" or options["range"]:
        raise UsageError("a history of Git is not followed; import it again after new commits")
    if not place.exists():
        raise UsageError(f"{source} is not a file or folder; only these can be followed")
    folder = place.is_dir()

    def store(path: Path, inside: str) -> None:
        named = {"name": None, "file": f"{name}-{inside}" if name else inside} if folder else {}
        _show(repository.import_documents(str(path), **(options | named)), style)

    def failed(path: Path, error: Error) -> None:
        output.note(f"not imported: {path}: {error}")

    follower = Follower(place, store, failed)
    output.note(f"following {source}; Ctrl-C ends")
    while True:
        follower.look()
        time.sleep(_POLL)


def _show(found: Imported, style: str) -> int:
    if style == "json":
        output.records(found.to_dict())
    else:
        for receipt in found.receipts:
            version = receipt.version
            reference = f"{version.project}/{version.name}@{version.version}"
            state = "stored" if receipt.created else "is these bytes already"
            output.result(
                f"{reference} {state}: {counted(version.statements, 'statement')} ({version.format}), {version.verdict}"
            )
        for skipped in found.skipped:
            output.note(f"not imported: {skipped.place}: {skipped.reason}")
        if not found.receipts and not found.skipped:
            output.note("nothing to import was found")
    return 1 if found.skipped else 0


def _list(style: str) -> None:
    from provrepo.codecs.formats import IMPORTED

    rows: list[dict[str, Any]] = [
        {
            "name": format_.name,
            "title": format_.title,
            "suffixes": list(format_.suffixes),
            "recognized": [sorted(keys) for keys in format_.keys],
            "files": sorted({*format_.folder, *format_.hidden}),
            "systems": list(format_.systems or (format_.title,)),
            "versions": format_.versions,
            "specification": format_.specification,
        }
        for format_ in IMPORTED
    ]
    if style == "json":
        output.records(rows)
        return
    for row in rows:
        output.result(f"{row['name']}  {row['title']}: {', '.join(row['systems'])} ({row['versions']})")
        keys = " or ".join("+".join(each) for each in row["recognized"])
        ways = (("file names", " ".join(f"*{suffix}" for suffix in row["suffixes"])), ("keys", keys))
        for label, value in (*ways, ("a folder with", " or ".join(row["files"]))):
            if value:
                output.result(f"    {label}: {value}")
