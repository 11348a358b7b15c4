"""What the scripts of this example share: names, people, and how a file is identified.

A file has a name that says where it belongs (``.../runs/<run>/clean.csv``), and others that say what is in it:
``urn:hash::sha1:<digest>``, as cwltool names content, and ``ni:///sha-256;<digest>`` (RFC 6920), as provrepo's capture
does; so that tools that read the same bytes speak of the same thing without having agreed on anything.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

LAB = "https://crops.example/"
CONTENT = "urn:hash::sha1:"
ORCID = "https://orcid.org/"

ANA = "0000-0002-1825-0097"
ANA_NAME = "Ana Example"
BO = "0000-0001-5109-3700"
BO_NAME = "Bo Example"


def now() -> str:
    """This instant as an xsd:dateTime in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class File:
    """A file's content, as it was when this was made."""

    name: str
    size: int
    sha1: str
    sha256: str

    @property
    def content(self) -> str:
        """The IRI of what it holds, by SHA-256."""
        return "ni:///sha-256;" + urlsafe_b64encode(bytes.fromhex(self.sha256)).decode().rstrip("=")

    @classmethod
    def of(cls, path: Path) -> File:
        """Read and digest a file."""
        data = path.read_bytes()
        # SHA-1 names the content as other tools do; SHA-256 is what proves it.
        sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        return cls(path.name, len(data), sha1, hashlib.sha256(data).hexdigest())


def latest_run(work: Path) -> str:
    """The name of the run that finished last."""
    return all_runs(work)[-1]


def all_runs(work: Path) -> list[str]:
    """The names of all finished runs, oldest first."""
    finished = [path.parent for path in (work / "runs").glob("*/run.ttl")]
    if not finished:
        raise SystemExit(f"no finished run in {work / 'runs'}: start pipeline.py first")
    return [path.name for path in sorted(finished, key=lambda path: (path / "run.ttl").stat().st_mtime_ns)]


def read_json(path: Path) -> dict[str, float]:
    """A JSON object of numbers."""
    return json.loads(path.read_text("utf-8"))
