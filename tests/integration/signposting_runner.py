"""A script that follows the signposts of a document with ``signposting``, in its environment, without provrepo.

``python signposting_runner.py DOCUMENT`` prints an object of JSON: for the document and the addresses below it, and for
the header, the page and the linkset, the targets of each relation with their media types.
"""

from __future__ import annotations

import json
import sys

from signposting.htmllinks import find_signposting_html
from signposting.linkset import find_signposting_linkset
from signposting.resolver import find_signposting_http


def _links(signposting: object) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for link in signposting:  # type: ignore[attr-defined]
        relation = str(getattr(link.rel, "value", link.rel))
        if ":" not in relation:
            found.setdefault(relation, []).append([str(link.target), str(link.type or "")])
    return {relation: sorted(links) for relation, links in found.items()}


def main(document: str) -> None:
    answer = {}
    for below in ("", "/versions/1", "/original", "/metadata"):
        address = document + below
        header = find_signposting_http(address)
        found = {"header": _links(header.for_context(address))}
        if below in ("", "/versions/1"):
            found["page"] = _links(find_signposting_html(address).for_context(address))
        (linkset,) = header.linksets
        found["linkset"] = _links(find_signposting_linkset(linkset.target).for_context(address))
        answer[below] = found
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
