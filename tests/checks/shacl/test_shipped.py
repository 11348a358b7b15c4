"""The profiles that ship are evaluated without pySHACL, in the process of the caller."""

from __future__ import annotations

import subprocess
import sys

import pytest

from provrepo.checks.profiles import Profile, available
from provrepo.checks.shacl.engine import shapes_of

_VALIDATE = """
import sys, provrepo
source = b"document\\nprefix ex <http://example.org/>\\nactivity(ex:run)\\nendDocument"
report = provrepo.validate(provrepo.read(source, format="provn"), profiles=sys.argv[1:])
assert report.findings and not report.conforms
print(sorted({"rdflib", "pyshacl"} & set(sys.modules)))
"""


@pytest.mark.parametrize("profile", available(), ids=lambda profile: profile.name)
def test_all_shapes_are_covered(profile: Profile) -> None:
    shapes = shapes_of(profile.shapes)
    assert (shapes.others, shapes.sparql) == ({}, set())


def test_neither_rdflib_nor_pyshacl_is_imported() -> None:
    names = [profile.name for profile in available()]
    command = [sys.executable, "-c", _VALIDATE, *names]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip() == "[]"
