"""The codec of notebooks that papermill, nbconvert or Jupyter ran: the run is an activity, cells with times its parts.

https://nbformat.readthedocs.io/en/latest/format_description.html (3 and 4),
https://papermill.readthedocs.io, https://nbclient.readthedocs.io (``record_timing``).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from provrepo.importers.contents import state_file
from provrepo.importers.findings import Findings
from provrepo.importers.json_values import Problem, parse, unwritable
from provrepo.importers.masking import without_login
from provrepo.importers.names import below, segment
from provrepo.importers.notebooks.cells import Cell, Notebook
from provrepo.importers.payload import state_payload
from provrepo.importers.runs import ACTIVE, COMPLETED, FAILED, part_of, state_parameter, status
from provrepo.importers.statements import Statements, json_value, link, typed, words
from provrepo.model.document import Document, SourceBytes
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import ASSOCIATION, ATTRIBUTION, DELEGATION, GENERATION
from provrepo.vocab import DCAT, DCTERMS, PROV, PROV_LOCATION, PROVREPO, RDF, RDFS, RDFS_LABEL, SCHEMA, SPDX, XSD

__all__ = ["MAPPING", "read"]

FORMAT = "notebook"

MAPPING = "notebook/1"
"""The version of the mapping from notebooks to statements."""

ROOT = "https://w3id.org/provrepo/notebook/"
"""The beginning of minted names, where the caller gives no base IRI."""

_PREFIXES = {
    "dcat": DCAT,
    "dcterms": DCTERMS,
    "notebook": ROOT,
    "provrepo": PROVREPO,
    "rdf": RDF,
    "rdfs": RDFS,
    "schema": SCHEMA,
    "spdx": SPDX,
    "xsd": XSD,
}
_ORCID = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")

_NO_FILES = (
    "a notebook does not say which files its cells read and wrote; `%load_ext provrepo` in the first cell records them"
)
_NO_RUN = (
    "this notebook has no record of a run: no cell was executed. Run it with papermill or `jupyter nbconvert "
    "--execute`, or record it with `%load_ext provrepo` in its first cell"
)


def read(data: bytes, *, format: str, base: str | None) -> Document:  # noqa: A002, ARG001
    """Read an executed notebook as a document.

    Args:
        data: UTF-8: a notebook of nbformat 3 or 4.
        format: ``notebook``.
        base: the beginning of minted IRIs.

    Raises:
        ReadError: not JSON, with line and column.
    """
    root = below(base, ROOT)
    statements, findings = Statements(), Findings(FORMAT, "notebook")
    about: list[str] = []
    for line, pointer, found in parse(data, FORMAT):
        problems: list[Problem] = []
        wrong = next(unwritable(found, ""), None)
        if wrong is None and not (isinstance(found, dict) and found.get("nbformat") in (3, 4)):
            wrong = Problem("/nbformat", "no notebook of nbformat 3 or 4", fatal=True)
        if wrong is not None:
            findings.add([wrong], line, pointer)
            continue
        notebook = Notebook(found, problems)
        if not notebook.ran:
            problems.append(Problem("", _NO_RUN, fatal=True))
        else:
            about.append(_Stating(statements, root, notebook).run(data if not pointer else b""))
            findings.note(_NO_FILES)
        findings.add(problems, line, pointer)
    links = [link(f"{SCHEMA}about", run) for run in about]
    state_payload(statements, f"{root}import/{sha256(data).hexdigest()}", data, MAPPING, links)
    document = statements.document(_PREFIXES)
    document.warnings = findings.warnings()
    document.source = SourceBytes(data, FORMAT, base, len(document))
    return document


class _Stating:
    """Makes the statements of one notebook."""

    def __init__(self, statements: Statements, root: str, notebook: Notebook) -> None:
        self._statements, self._root, self._notebook = statements, root, notebook
        self._run = f"{root}run/{notebook.digest}"
        self._plan = f"{root}code/{notebook.code_digest}"
        self._name = _file(notebook.input or notebook.output) or "notebook"

    def run(self, data: bytes) -> Identifier:
        """State the run of the notebook.

        Args:
            data: the bytes of the file; empty if it contains more.
        """
        notebook, statements = self._notebook, self._statements
        start, end = notebook.times
        run = statements.activity(
            self._run,
            start,
            end,
            words(RDFS_LABEL, f"run of {self._name}"),
            status(_STATUS[notebook.status]),
            words(f"{SCHEMA}error", notebook.error),
            self._environment(),
        )
        self._plans()
        engine = self._engine()
        kernel = self._kernel()
        for agent in filter(None, (engine, kernel)):
            statements.relate(ASSOCIATION, run, agent, self._plan)
        if engine and kernel:
            statements.relate(DELEGATION, kernel, engine, run)
        for key, found in notebook.parameters.items():
            name = f"{self._run}/parameter/{segment(key)}"
            state_parameter(statements, name, run, without_login(key), "null" if found is None else found)
        for cell in notebook.cells:
            if cell.times != (None, None):
                self._cell(run, cell, kernel or engine)
        if data and notebook.status == "completed":
            made = state_file(
                statements,
                f"{self._run}/output",
                _file(notebook.output) or self._name,
                {"sha256": sha256(data).hexdigest()},
                words(f"{SCHEMA}encodingFormat", "application/x-ipynb+json"),
                [typed(f"{SCHEMA}contentSize", str(len(data)), "integer")],
                location=without_login(notebook.output),
            )
            statements.relate(GENERATION, made, run, end)
        return run

    def _environment(self) -> list[Any]:
        variables = self._notebook.papermill.get("environment_variables")
        return [json_value(f"{PROVREPO}details", {"environmentVariables": variables})] if variables else []

    def _plans(self) -> None:
        """The code of the notebook, which is the same plan wherever it is run, and who wrote it."""
        notebook, statements = self._notebook, self._statements
        place = words(PROV_LOCATION, without_login(notebook.input)) if notebook.input else []
        title = words(f"{DCTERMS}title", notebook.title)
        statements.entity(self._plan, words(RDFS_LABEL, self._name), place, title, types=[f"{PROV}Plan"])
        for number, author in enumerate(notebook.authors, 1):
            orcid = _ORCID.fullmatch(str(author.get("orcid", "")))
            iri = f"https://orcid.org/{orcid[1]}" if orcid else f"{self._plan}/author/{number}"
            person = statements.agent(
                iri, words(RDFS_LABEL, author.get("name")), words(f"{SCHEMA}affiliation", author.get("affiliation")),
                types=[f"{PROV}Person"],
            )  # fmt: skip
            statements.relate(ATTRIBUTION, self._plan, person)

    def _engine(self) -> Identifier | None:
        """Papermill; None for another program, which a notebook does not name."""
        version = self._notebook.papermill.get("version")
        if not self._notebook.papermill:
            return None
        return self._software("papermill", version)

    def _kernel(self) -> Identifier | None:
        language, kernel = self._notebook.language, self._notebook.kernel
        name = str(language.get("name") or kernel.get("language") or kernel.get("name") or "")
        if not name:
            return None if self._notebook.papermill else self._software("Jupyter kernel", None)
        more = words(f"{SCHEMA}name", kernel.get("name"))
        return self._software(name, language.get("version"), more)

    def _software(self, name: str, version: object, more: list[Any] | None = None) -> Identifier:
        text = version if isinstance(version, str) else ""
        return self._statements.agent(
            f"{self._root}software/{segment(name)}/{segment(text or 'unknown')}",
            words(RDFS_LABEL, f"{name} {text}".strip()),
            words(f"{SCHEMA}softwareVersion", text),
            more or [],
            types=[f"{PROV}SoftwareAgent"],
        )

    def _cell(self, run: Identifier, cell: Cell, agent: Identifier | None) -> None:
        statements = self._statements
        activity = f"{self._run}/cell/{segment(cell.name)}"
        start, end = cell.times
        statements.activity(
            activity,
            start,
            end,
            words(RDFS_LABEL, cell.label),
            status(_STATUS[cell.status]),
            words(f"{SCHEMA}error", cell.error),
            part_of(statements, activity, run),
        )
        plan = statements.entity(
            f"{self._plan}/cell/{segment(cell.name)}/{cell.digest[:16]}",
            words(RDFS_LABEL, f"{cell.label} of {self._name}"),
            words(f"{SPDX}checksumValue", cell.digest),
            words(f"{PROVREPO}cell", cell.name),
            types=[f"{PROV}Plan"],
        )
        if agent is not None:
            statements.relate(ASSOCIATION, activity, agent, plan)


_STATUS = {"completed": COMPLETED, "failed": FAILED, "active": ACTIVE}


def _file(path: str) -> str:
    """The name of a file, of a path of any system."""
    return without_login(re.split(r"[\\/]", path.rstrip("\\/"))[-1])
