"""A script that reads and writes documents with the Python package prov, in its environment, without provrepo.

``python prov_runner.py FROM TO SUFFIX...`` reads each file of FROM and writes it to ``TO/NAME.SUFFIX`` in each format.
It prints one line of tab-separated fields for each step: the file, ``read`` or ``write SUFFIX``, ``ok`` or ``error``,
and the number of statements or the message.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from prov.model import ProvDocument

FORMATS = {
    "provn": {"format": "provn"},
    "provx": {"format": "xml"},
    "json": {"format": "json"},
    "jsonld": {"format": "jsonld"},
    "trig": {"format": "rdf", "rdf_format": "trig"},
}


def _line(file: Path, step: str, found: object) -> None:
    failed = isinstance(found, Exception)
    message = " ".join(f"{type(found).__name__}: {found}".split()) if failed else str(found)
    print(file.name, step, "error" if failed else "ok", message, sep="\t")


def main(source: Path, target: Path, suffixes: list[str]) -> None:
    warnings.simplefilter("ignore")
    for file in sorted(source.iterdir()):
        try:
            document = ProvDocument.deserialize(str(file), **FORMATS[file.name.partition(".")[2]])
        except Exception as error:  # noqa: BLE001 (whatever it raises is the result)
            _line(file, "read", error)
            continue
        _line(file, "read", sum(len(part.records) for part in (document, *document.bundles)))
        for suffix in suffixes:
            try:
                document.serialize(str(target / f"{file.name}.{suffix}"), **FORMATS[suffix])
            except Exception as error:  # noqa: BLE001
                _line(file, f"write {suffix}", error)
            else:
                _line(file, f"write {suffix}", "")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
