"""``ro-crate-metadata.json``: the description of a package for programs that read RO-Crate 1.2.

Only terms of the context of RO-Crate are used, so that readers need no other context. Digests with SHA-512 are in the
manifest of the bag, since RO-Crate has no term for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from provrepo.codecs.rdf.terms import is_iri
from provrepo.model.identifiers import web_address
from provrepo.repository.exchange.package.bag import Spool
from provrepo.repository.exchange.package.layout import CRATE, Contents

__all__ = ["CONTEXT", "PROFILE", "Crate"]

CONTEXT = "https://w3id.org/ro/crate/1.2/context"
PROFILE = "https://w3id.org/ro/crate/1.2"
_NO_LICENSE = "The project has no license: ask the laboratory that sent this package."


class Crate:
    """The description of a package, collected file by file."""

    def __init__(self, scratch: Path) -> None:
        """Begin a description.

        Args:
            scratch: an existing folder for temporary files.
        """
        self._parts, self._files = Spool(scratch), Spool(scratch)
        self._licenses: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Remove the temporary files."""
        self._parts.close()
        self._files.close()

    def add(
        self,
        path: str,
        *,
        name: str,
        description: str,
        media_type: str,
        size: int,
        sha256: str,
        license: str = "",  # noqa: A002 (the term of schema.org)
        derived_from: str = "",
    ) -> None:
        """Describe a file.

        Args:
            path: its path in the crate.
            name: a short name for people.
            description: a sentence for people.
            media_type: its media type.
            size: its size in bytes.
            sha256: SHA-256 of its bytes, in hexadecimal.
            license: its license, an IRI or a text; empty for that of the crate.
            derived_from: the path of the file that it was made from; empty for none.
        """
        identifier = quote(path)
        entity: dict[str, Any] = {
            "@id": identifier,
            "@type": "File",
            "name": name,
            "description": description,
            "encodingFormat": media_type.partition(";")[0],
            "contentSize": str(size),
            "sha256": sha256,
        }
        if license:
            entity["license"] = self._license(license)
        if derived_from:
            entity["isBasedOn"] = {"@id": quote(derived_from)}
        comma = "," if self._parts.count else ""
        self._parts.add(f"{comma}{_json({'@id': identifier})}")
        self._files.add(f",\n{_json(entity)}")

    def chunks(self, contents: Contents, *, title: str, license: str, identifier: str) -> Iterator[bytes]:  # noqa: A002
        """Yield the whole document.

        Args:
            contents: what the package contains.
            title: the title of the project; may be empty.
            license: the license of the project, an IRI or a text; may be empty.
            identifier: the IRI of the project.
        """
        about = f"Project {contents.project} of a provrepo repository"
        repository = contents.base or f"urn:uuid:{contents.identity}"
        root = {
            "@id": "./",
            "@type": "Dataset",
            "name": title or about,
            "description": f"{about}: the ledger entries {contents.first} to {contents.last}, with the documents that "
            "they are about (W3C PROV), and the reports of their checks. The file index.html describes it for people.",
            "datePublished": contents.time,
            "license": self._license(license),
            "publisher": {"@id": repository},
            "identifier": {"@id": "#identifier"},
            "version": f"{contents.last}-{contents.sha256[:16]}",
        }
        others = [
            {
                "@id": repository,
                "@type": "Organization",
                "name": f"The operator of the repository {repository}",
                **({"url": contents.base} if contents.base else {}),
            },
            {
                "@id": "#identifier",
                "@type": "PropertyValue",
                "name": "IRI of the project",
                "propertyID": "https://registry.identifiers.org/registry/uri",
                "value": identifier,
            },
        ]
        descriptor = {
            "@id": CRATE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": PROFILE},
        }
        yield f'{{"@context": {_json(CONTEXT)}, "@graph": [\n{_json(descriptor)},\n'.encode()
        yield f'{_json(root)[:-1]}, "hasPart": ['.encode()
        yield from self._parts.chunks()
        yield b"]}"
        for entity in [*others, *self._licenses.values()]:
            yield f",\n{_json(entity)}".encode()
        yield from self._files.chunks()
        yield b"\n]}\n"

    def _license(self, license: str) -> dict[str, str]:  # noqa: A002
        """Return a reference to a license: an IRI, a text, or empty where none was stated."""
        if license and web_address(license) is not None and is_iri(license):
            entity = {"@id": license, "name": license, "description": f"The license {license}"}
        elif license:
            entity = {"@id": f"#license-{len(self._licenses)}", "name": license, "description": license}
        else:
            entity = {"@id": "#no-license", "name": "No license was stated", "description": _NO_LICENSE}
        found = self._licenses.setdefault(license, {**entity, "@type": "CreativeWork"})
        return {"@id": found["@id"]}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
