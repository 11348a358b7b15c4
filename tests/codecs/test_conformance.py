"""The conformance matrix is correct: what a format can represent is read back, and each listed loss occurs."""

from __future__ import annotations

import runpy

import pytest

from provrepo.codecs.formats import FORMATS
from provrepo.model.statements import KINDS
from tests.support.paths import ROOT
from tests.support.round_trip import BOTH_WAYS

CONFORMANCE = runpy.run_path(str(ROOT / "docs" / "conformance.py"))
SPECIMENS = CONFORMANCE["SPECIMENS"]


@pytest.mark.parametrize("name", [form.name for form in BOTH_WAYS])
@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.concept)
def test_each_format_says_what_it_loses(specimen: tuple[str, str, str], name: str) -> None:
    (form,) = [form for form in FORMATS if form.name == name]
    CONFORMANCE["verdict"](CONFORMANCE["specimen"](specimen[2]), form)


def test_only_rdf_carries_what_is_not_prov() -> None:
    carrying = {form.name for form in BOTH_WAYS if not CONFORMANCE["verdict"](CONFORMANCE["unmapped"](), form)}
    assert carrying == {form.name for form in BOTH_WAYS if form.rdf}


def test_every_kind_of_statement_is_in_the_matrix() -> None:
    shown = {s.kind for specimen in SPECIMENS for s in CONFORMANCE["specimen"](specimen.text)}
    assert shown == set(KINDS.values())


def test_prov_n_carries_everything() -> None:
    (form,) = [form for form in FORMATS if form.name == "provn"]
    assert [s.concept for s in SPECIMENS if CONFORMANCE["verdict"](CONFORMANCE["specimen"](s.text), form)] == []
