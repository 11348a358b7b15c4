"""A script that reads one hostile input in a process of its own, with limits of the operating system.

``python -m tests.support.hostile FORMAT FILE`` prints the result as one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from tests.support.work import ENDLESS, peak

MEMORY = 500 << 20
"""Bytes of address space beyond that of the interpreter and the libraries before the input is read."""


def main() -> None:
    name, file = sys.argv[1:]
    import lxml.etree  # noqa: F401 (loaded before the limit is set, which is for the input alone)
    import pyoxigraph  # noqa: F401

    from provrepo.codecs import formats
    from provrepo.errors import Error

    formats.by_name(name).codec()
    data = Path(file).read_bytes()
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (ENDLESS, ENDLESS))
    try:
        document = formats.read(data, format=name, base="http://base.example/")
        result = {"statements": len(document), "quads": len(document.unmapped)}
    except Error as error:
        result = {
            "error": str(error)[:2000],
            "kind": type(error).__name__,
            "line": getattr(error, "line", None),
            "length": len(str(error)),
        }
    result["peak"] = peak()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
