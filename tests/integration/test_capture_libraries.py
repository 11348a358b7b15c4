"""Libraries that read and write files in compiled code, in their own environment: exactly their files are recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provrepo.model.statements import GENERATION, USAGE
from provrepo.vocab import PROV_LOCATION, PROVREPO
from tests.integration.capture_libraries_runner import CASES
from tests.integration.environments import NotHere, python, run
from tests.integration.pipelines.truth import TRUTH
from tests.integration.recordings import OURS, check_case, recorded
from tests.support.captured import Captured
from tests.support.command import provrepo

REQUIREMENTS = [
    "aiohttp==3.14.5", "astropy==8.0.2", "duckdb==2.0.1", "fsspec==2026.9.0", "h5netcdf==1.8.1", "h5py==3.16.0",
    "httpx==0.28.1", "joblib==1.6.0", "netCDF4==1.7.5.1.post1", "pandas==3.1.1", "Pillow==13.0.0", "polars==2.1.0",
    "pyarrow==26.0.1", "requests==2.34.2", "safetensors==0.8.0", "SQLAlchemy==2.1.9", "tables==3.11.1",
    "xarray==2026.9.0", "zarr==3.1.6",
]  # fmt: skip


@pytest.fixture(scope="session")
def interpreter() -> Path:
    try:
        return python("capture_libraries", REQUIREMENTS)
    except NotHere as error:
        pytest.skip(f"capture_libraries cannot be installed: {error}")


def relations(found: Captured, kind: object) -> set[tuple[str, str]]:
    """Steps and the files, or names of URLs, that they used or generated, as the truth of a pipeline has them."""
    place = {s.id: found.values(s, PROV_LOCATION) for s in found.document if s.kind.element}

    def named(location: str) -> str:
        return location.rpartition("/")[2] if "://" in location else str(Path(location).relative_to(found.path.parent))

    at = 1 if kind is USAGE else 0
    pairs = [(s.args[1 - at], place[s.args[at]]) for s in found.document if s.kind is kind]
    files = [(found.label(activity), named(locations[0])) for activity, locations in pairs if locations]
    return {pair if kind is USAGE else pair[::-1] for pair in files}


def test_pipelines_have_their_inputs_and_outputs_and_no_others(
    interpreter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run([interpreter, "-m", "tests.integration.pipelines", tmp_path], PYTHONPATH=OURS)
    assert ran.returncode == 0, ran.stderr
    missed, false, total = [], [], 0
    for name, pairs in TRUTH.items():
        found = Captured(tmp_path / name / "run.trig")
        assert found.rules("pipeline") == [], name
        for kind, true in zip((USAGE, GENERATION), pairs, strict=True):
            recorded = relations(found, kind)
            total += len(true)
            missed += [(name, *pair) for pair in true - recorded]
            false += [(name, *pair) for pair in recorded - true]
    with capsys.disabled():
        print(f"\n{len(TRUTH)} pipelines: {total - len(missed)} of {total} inputs and outputs, {len(false)} false")
    assert len(TRUTH) >= 30
    assert false == []
    assert 1 - len(missed) / total >= 0.95
    assert missed == [("Sorted", "arrange", "raw.csv")], "a program that is not Python reads it"
    sorted_ = Captured(tmp_path / "Sorted" / "run.trig")
    assert sorted_.values(sorted_.one("session"), PROVREPO + "unexplained") == ["opened raw.csv"]


@pytest.mark.parametrize("way", ["run", "step"])
@pytest.mark.parametrize("case", [case for case in CASES if case != "Torch"])
def test_exactly_the_files_of_a_library(case: str, way: str, interpreter: Path, tmp_path: Path) -> None:
    check_case(interpreter, case, way, tmp_path)


@pytest.mark.parametrize(
    ("case", "read", "written"),
    [("Duckdb", {"raw", "clean"}, {"clean"}), ("SqlAlchemy", {"raw", "clean"}, {"clean"})],
)
def test_tables_of_databases(case: str, read: set[str], written: set[str], interpreter: Path, tmp_path: Path) -> None:
    found = recorded(interpreter, case, "run", tmp_path)

    def tables(kind: object) -> set[str]:
        return {name for s in found.document if s.kind is kind for name in found.values(s, PROVREPO + "table")}

    assert tables(USAGE) == read
    assert tables(GENERATION) == written


def test_a_program_that_uses_all_of_them_is_as_it_was(interpreter: Path, tmp_path: Path) -> None:
    """Signatures and names of what is adapted are those of the libraries."""
    code = "import inspect, pickle, pyarrow, pyarrow.parquet as pq, polars as pl, h5py, pyarrow.dataset as ds\n" + (
        "print(inspect.signature(pq.ParquetFile.__init__), inspect.signature(pl.read_csv), inspect.signature("
        "ds.write_dataset), inspect.signature(pl.LazyFrame.collect), pl.LazyFrame.collect.__doc__, pyarrow.OSFile,"
        "pickle.loads(pickle.dumps(pl.read_csv)) is pl.read_csv, h5py.h5f.open.__name__, pq.read_schema.__module__)"
    )
    plain = run([interpreter, "-c", code]).stdout
    done = provrepo("run", "--out", "run.trig", "--", interpreter, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    address = re.compile("0x[0-9a-f]+")  # of default values
    assert address.sub("", done.stdout.decode()) == address.sub("", plain) != ""
