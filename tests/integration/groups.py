"""The groups of integration tests, with the source files that they test and their limits of time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

__all__ = ["GROUPS", "Group", "changed", "sampled", "touched"]

_CODECS = ("provrepo/codecs/*", "provrepo/model/*", "provrepo/vocab.py")
_RDF = ("provrepo/codecs/rdf*", "provrepo/codecs/provo/*", "provrepo/model/*")
_SERVER = ("provrepo/server/*", "provrepo/repository/*")
_ANSWERS = ("provrepo/server/*", "provrepo/views/*", "provrepo/workers/*", "provrepo/codecs/results.py")
_EVENTS = (
    *("provrepo/importers/*", "provrepo/repository/events/*", "provrepo/ledger/events.py"),
    *("provrepo/server/lineage/openlineage.py", "shapes/pipeline/*"),
)
_PACKAGES = ("provrepo/repository/exchange/package/*", "tests/integration/crates.py")


@dataclass(frozen=True, slots=True)
class Group:
    """One group: a test file ``test_NAME.py`` with an environment of its own.

    Attributes:
        name: the name of the group, of its test file and of its environment.
        budget: the most seconds, with the installation: about five times the time that it takes alone on two cores.
        paths: patterns of source files; the group is run when one of them changes.
        about: the tool, and the subject of the tests.
        large: whether its installation alone takes a minute: of the large groups that a change concerns by their
            ``paths``, and of those in a sample, one is run.
        tried: the tools that run in it, by their names in the table of formats (``systems`` and ``readers``), with
            their versions. ``docs/reference/tools.md`` is made from it.
    """

    name: str
    budget: int
    paths: tuple[str, ...]
    about: str
    large: bool = False
    tried: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The test file, relative to the root of the source tree."""
        return f"tests/integration/test_{self.name}.py"


GROUPS: tuple[Group, ...] = (
    Group(
        "provtoolbox",
        420,
        (*_CODECS, "provrepo/checks/constraints/*", "tests/integration/provtoolbox/*"),
        "ProvToolbox 2.2.1: the four formats in both directions, verdicts of PROV-CONSTRAINTS",
        tried={"ProvToolbox": "2.2.1"},
    ),
    Group(
        "prov",
        300,
        _CODECS,
        "the Python package prov 3.2.3: its formats in both directions",
        tried={"prov": "3.2.3"},
    ),
    Group(
        "sparql_clients",
        240,
        _ANSWERS,
        "SPARQLWrapper 2.0.0 and the SPARQL store of rdflib 7.6.0 against a running server",
    ),
    Group(
        "rdf4j",
        300,
        (*_ANSWERS, "tests/integration/rdf4j/*"),
        "the SPARQL repository of RDF4J 5.1.4 against a running server",
    ),
    Group(
        "jena",
        300,
        (*_RDF, *_ANSWERS, "tests/integration/jena/*"),
        "Jena 5.2.0: reading our RDF, and its SPARQL client against a running server",
    ),
    Group(
        "openapi",
        900,
        (*_SERVER, "tests/integration/openapi_hooks.py"),
        "Schemathesis 4.32.5: what /openapi.json says can be sent, and what it says cannot, against a running server",
    ),
    Group(
        "sumdb",
        240,
        ("provrepo/verify/*", "provrepo/ledger/logs/*", "provrepo/server/exchange/log.py", "tests/integration/sumdb/*"),
        "golang.org/x/mod 0.31.0, the client of Go's checksum database: our signed logs, tiles, proofs and receipts",
    ),
    Group("bagit", 120, _PACKAGES, "bagit 1.9.0: packages are valid bags, and its bags are read"),
    Group(
        "rocrate",
        240,
        (*_PACKAGES, "provrepo/importers/rocrate/*", "tests/integration/*_runner.py"),
        "roc-validator 0.13.0 and rocrate 0.16.0: packages are valid crates, and what we write of runs are Run Crates",
        tried={"rocrate-validator": "0.13.0"},
    ),
    Group(
        "cwltool",
        420,
        ("provrepo/importers/cwlprov/*", "provrepo/importers/rocrate/*", "provrepo/importers/bags.py"),
        "cwltool 3.3 --provenance and runcrate 0.5.0: both records are read, and have one content of the input",
        tried={"cwltool": "3.3.20260925135507", "runcrate": "0.5.0"},
    ),
    Group(
        "signposting",
        240,
        ("provrepo/server/discovery/*", "provrepo/server/documents/*", "provrepo/server/protocol/*"),
        "signposting 0.9.9, a client of FAIR Signposting, against a running server",
    ),
    Group(
        "coarnotify",
        240,
        ("provrepo/repository/exchange/notices/*", "provrepo/server/exchange/inbox.py"),
        "coarnotify 1.0.1.4, a client and a reader of COAR Notify, against a running server",
    ),
    Group(
        "journeys",
        420,
        ("provrepo/server/pages/*", "web/*", "tests/integration/journeys_runner.py"),
        "Playwright 1.65 and axe 4 in Chromium: journeys over the pages of a running server, in light and dark",
    ),
    Group(
        "openlineage_python",
        300,
        _EVENTS,
        "openlineage-python 1.54.0: its transports and all of its facets, against a server that is disturbed",
        tried={"openlineage-python": "1.54.0"},
    ),
    Group(
        "notebooks",
        240,
        ("provrepo/capture/notebooks.py", "provrepo/capture/sessions.py", "provrepo/importers/notebooks/*"),
        "nbconvert 7.17.2, papermill 2.7.0 and IPython 9.18.1: cells are recorded as steps, and what was run is read",
        tried={"nbconvert": "7.17.2", "papermill": "2.7.0"},
    ),
    Group(
        "croissant",
        240,
        ("provrepo/importers/croissant/*", "provrepo/codecs/provo/writer.py"),
        "mlcroissant 1.1.1: what is written as Croissant is valid, and what it writes is read",
        tried={"mlcroissant": "1.1.1"},
    ),
    Group(
        "dvc",
        300,
        ("provrepo/importers/dvc/*", "provrepo/importers/git/*", "provrepo/importers/git_program.py"),
        "DVC 3.67.1 runs stages and an experiment: the project, its history in Git, and both as one lineage",
        tried={"DVC": "3.67.1"},
    ),
    Group(
        "kedro",
        300,
        ("provrepo/hooks/runs.py", "provrepo/hooks/kedro.py", "tests/integration/kedro/*"),
        "Kedro 1.7 with its sequential, parallel, threaded and asynchronous runs: nodes are recorded by the hooks",
        tried={"Kedro": "1.7.0"},
    ),
    Group(
        "luigi",
        120,
        ("provrepo/hooks/runs.py", "provrepo/hooks/luigi.py", "tests/integration/luigi/*"),
        "Luigi 3.8 with one and with two workers: tasks are recorded by its events",
        tried={"Luigi": "3.8.1"},
    ),
    Group(
        "prefect",
        420,
        ("provrepo/hooks/runs.py", "provrepo/hooks/prefect.py", "tests/integration/prefect/*"),
        "Prefect 3.8 with its own server: flows, tasks, attempts and assets are recorded",
        tried={"Prefect": "3.8.8"},
    ),
    Group(
        "capture_libraries",
        600,
        (
            *("provrepo/capture/child/*", "provrepo/capture/files/*"),
            *("tests/integration/capture_libraries_runner.py", "tests/integration/pipelines/*"),
        ),
        "recording of pyarrow 26, pandas 3, Polars 2, h5py, netCDF4, zarr 3, DuckDB 2 and others",
        large=True,
    ),
    Group(
        "capture_torch",
        1800,
        ("provrepo/capture/child/provrepo_libraries/*",),
        "recording of what PyTorch 2.15 saves and loads: its packages take five gigabytes",
        large=True,
    ),
    Group(
        "dbt",
        300,
        (*_EVENTS, "tests/integration/dbt/*"),
        "dbt-ol 1.54.0 with dbt 1.11.16 on DuckDB: two builds of a project, to a server that is disturbed; target/",
        tried={"dbt": "1.11.16"},
    ),
    Group(
        "snakemake",
        300,
        ("provrepo/importers/engines/*", "provrepo/importers/versions.py", "provrepo/importers/sources.py"),
        "Snakemake 9.27.1: the metadata of a small workflow, with a job that fails and a long path",
        tried={"Snakemake": "9.27.1"},
    ),
    Group(
        "great_expectations",
        300,
        ("provrepo/importers/great_expectations/*", "tests/integration/great_expectations_runner.py"),
        "Great Expectations 1.24.1 validates a file twice: the results in its project",
        tried={"Great Expectations": "1.24.1"},
    ),
    Group(
        "mlflow",
        900,
        ("provrepo/importers/mlflow/*", "shapes/ml-training/*", "tests/integration/mlflow_runner.py"),
        "MLflow 3.17.2: the same runs in files, in SQLite and from its server",
        large=True,
        tried={"MLflow": "3.17.2"},
    ),
    Group(
        "spark",
        420,
        _EVENTS,
        "Spark 3.5.8 with the listener of OpenLineage 1.53.0: a join and an aggregation, to a running server",
        large=True,
        tried={"Spark": "3.5.8"},
    ),
    Group(
        "airflow",
        420,
        (*_EVENTS, "tests/integration/airflow/*"),
        "Airflow 3.3.2 with OpenLineage's provider 2.20.3: the run of a DAG, to a server that is disturbed",
        large=True,
        tried={"Airflow": "3.3.2"},
    ),
    Group(
        "scripts",
        120,
        ("web/static/*.mjs", "web/editor/*", "web/vendor/*"),
        "TypeScript 7.0.2 checks the modules of pages; the vendored editor is built again",
    ),
)


def touched(paths: Iterable[str], seed: str = "") -> list[Group]:
    """The groups to run for a change.

    Args:
        paths: the paths of the changed files, relative to the root of the source tree.
        seed: hexadecimal digits that choose among the large groups: the name of the commit.
    """
    files = list(paths)
    own = {group.name for group in GROUPS if group.file in files}
    found = [
        group
        for group in GROUPS
        if group.name in own
        or any(
            fnmatch(file, pattern)
            for file in files
            for pattern in (*group.paths, f"tests/integration/known/{group.name}.toml")
        )
        or any(fnmatch(file, "tests/integration/*.py") and "/test_" not in file for file in files)
    ]
    large = [group for group in found if group.large and group.name not in own]
    return [group for group in found if group not in large or group in sampled(large, seed, 1)]


def sampled(groups: Sequence[Group], seed: str, number: int = 2) -> list[Group]:
    """A sample of the groups, which depends on the commit; one of the large ones at most.

    Args:
        groups: the groups to choose from.
        seed: hexadecimal digits that determine the sample: the name of the commit.
        number: the size of the sample.
    """
    start = int(seed[:8] or "0", 16)
    found: list[Group] = []
    for place in range(len(groups)):
        group = groups[(start + place) % len(groups)]
        if len(found) < number and not (group.large and any(one.large for one in found)):
            found.append(group)
    return found


def changed(root: Path) -> tuple[str, list[str]]:
    """The current commit, and the files in which it differs from its base.

    The base is the last common commit with ``main``; on ``main`` itself, as in a new clone, it is the commit before
    those of the last 24 hours. Uncommitted files count as changed. If the history does not contain the base, all files
    are changed. Without a history there are no files, and the commit is an empty string.
    """

    def git(*arguments: str) -> str:
        ran = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
        return ran.stdout.strip() if ran.returncode == 0 else ""

    head = git("rev-parse", "HEAD")
    if not head:
        return "", []
    base = git("merge-base", "HEAD", "main")
    if not base or base == head:
        committed = git("show", "--no-patch", "--format=%ct", "HEAD")
        recent = git("log", "--format=%H", f"--since={int(committed) - 86_400}").splitlines()
        base = git("rev-parse", "--verify", "--quiet", f"{recent[-1]}^") if recent else ""
    names = git("diff", "--name-only", base, "--") if base else git("ls-files")
    untracked = git("ls-files", "--others", "--exclude-standard")
    return head, [*names.splitlines(), *untracked.splitlines()]
