"""Round trips through another tool: whether it reads documents, and writes the same statements.

The documents are written in each of the four formats of PROV; the tool reads each file and writes it again in all
four; those files are read here and compared with the document. An outcome is one file's way through that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import provrepo
from provrepo.errors import Error
from provrepo.model.canonical import merged
from provrepo.model.document import Document
from tests.integration.rules import Rule, differs

__all__ = ["SUFFIXES", "Outcome", "outcomes", "written"]

SUFFIXES = {"provn": "provn", "provxml": "provx", "provjson": "json", "provjsonld": "jsonld", "trig": "trig"}
"""The names of formats, and the suffixes by which tools recognize them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step of a tool with one file.

    Attributes:
        number: the number of the document.
        suffix: the suffix of the file.
        step: ``read`` or ``write SUFFIX`` by the tool; ``again SUFFIX`` for reading its file with provrepo; ``same
            SUFFIX`` for the comparison with the document.
        problem: the error message or the difference; empty where there is none.
    """

    number: int
    suffix: str
    step: str
    problem: str


def written(documents: Iterable[Document], folder: Path, name: str) -> None:
    """Write each document to a new folder in one format: ``017.provn`` and so on."""
    folder.mkdir(parents=True)
    for number, document in enumerate(documents):
        (folder / f"{number:03}.{SUFFIXES[name]}").write_bytes(document.write(name))


def outcomes(
    lines: Iterable[str], documents: list[Document], theirs: Path, rules: Iterable[Rule] = ()
) -> list[Outcome]:
    """The outcomes of the tool's own steps, and of reading and comparing each file that it wrote.

    A file that the tool did not read completely is not compared: its first problem is enough.

    Args:
        lines: the output of the tool: file, step, ``ok`` or ``error``, and the message or the number of statements,
            separated by tabs.
        documents: the documents by number.
        theirs: the folder in which the tool wrote ``017.provn.json`` and so on.
        rules: the accepted differences of documents. Each counts the outcomes that need it.
    """
    found: list[Outcome] = []
    whole = True
    table = tuple(rules)
    for line in lines:
        file, step, outcome, message = line.rstrip("\n").split("\t")
        stem, _, suffix = file.partition(".")
        number = int(stem)
        problem = message if outcome == "error" else ""
        if step == "read" and outcome == "ok":
            # A parser that continues after an error, such as those of ANTLR, reports success.
            statements = _number(documents[number], suffix)
            more = int(message) - statements
            problem = f"{abs(more)} of {statements} statements {'missing' if more < 0 else 'too many'}" if more else ""
            whole = not problem
        found.append(Outcome(number, suffix, step, problem))
        if step.startswith("write") and outcome == "ok":
            to = step.partition(" ")[2]
            try:
                again = provrepo.read(theirs / f"{file}.{to}")
            except Error as error:
                found.append(Outcome(number, suffix, f"again {to}", str(error) or type(error).__name__))
                continue
            found.append(Outcome(number, suffix, f"again {to}", ""))
            if whole:
                difference = differs(documents[number], again, [rule for rule in table if rule.holds(suffix, to)])
                found.append(Outcome(number, suffix, f"same {to}", difference))
    return found


def _number(document: Document, suffix: str) -> int:
    """The number of statements in a file; in RDF, the number of subjects."""
    instances = [instance.statements for instance in document.instances()]
    return sum(len(merged(one) if suffix == "trig" else one) for one in instances)
