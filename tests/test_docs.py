"""The documentation is correct: generated pages are current, links have targets, examples print the shown output."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from provrepo.cli.main import cli
from provrepo.codecs.formats import FORMATS, IMPORTED
from provrepo.resources import root
from provrepo.settings import Settings, environment_name
from tests.integration.groups import GROUPS
from tests.support import readme
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """docs/generate.py as a module."""
    spec = spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "page",
    [
        *("cli.md", "settings.md", "limits.md", "python.md", "lineage.md", "constraints.md", "conformance.md"),
        *("queries.md", "openlineage.md", "ledger.md", "tools.md"),
    ],
)
def test_generated_pages_are_up_to_date(generate: ModuleType, page: str) -> None:
    assert (DOCS / "reference" / page).read_text("utf-8") == generate.PAGES[page](), "run `make reference`"


def test_every_verb_and_every_setting_is_in_the_reference() -> None:
    verbs = (DOCS / "reference" / "cli.md").read_text("utf-8")
    assert [verb for verb in cli.commands if f"\n## provrepo {verb}\n" not in verbs] == []
    settings = (DOCS / "reference" / "settings.md").read_text("utf-8")
    names = [field.name for field in dataclasses.fields(Settings)]
    assert [name for name in names if f"`{environment_name(name)}`" not in settings] == []


def test_the_row_of_each_importer_says_whose_records_of_which_versions_it_reads() -> None:
    """`docs/reference/tools.md` is made from these fields of `Format`: `systems` and `versions`."""
    assert [row.name for row in IMPORTED if not row.versions] == []
    assert [row.name for row in FORMATS if (row.systems and not row.reads) or (row.readers and not row.writes)] == []


def test_the_tools_of_the_integration_groups_have_the_versions_that_these_install() -> None:
    """A group names the tools that run in it as `systems` or `readers` of a format do; see `Group.tried`."""
    hooked = {path.stem.title() for path in (ROOT / "provrepo" / "hooks").glob("*.py")}
    known = hooked | {name for row in FORMATS for name in (*row.systems, *row.readers)}
    for group in GROUPS:
        assert [name for name in group.tried if name not in known] == [], group.name
        files = [ROOT / group.file, *(ROOT / "tests" / "integration" / group.name).rglob("pom.xml")]
        installed = "".join(file.read_text("utf-8") for file in files)
        assert [name for name, version in group.tried.items() if version not in installed] == [], group.name


def test_rate_limits_in_the_http_reference_are_the_default_settings() -> None:
    http = (DOCS / "reference" / "http.md").read_text("utf-8")
    shown = dict(re.findall(r"`PROVREPO_((?:PINGBACK_)?RATE(?:_\w+)?)`[\w ]* \(([\d,]+)\)", http))
    defaults = Settings()
    names = ("pingback_rate", "rate_read", "rate_query", "rate_check", "rate_write")
    assert shown == {name.upper(): f"{getattr(defaults, name):,}" for name in names}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_have_targets(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    headings = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", found) for found in re.findall(r"(?m)^#+ (.*)$", text)]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_to_headings_have_targets(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)", text)
    targets = [(page.parent / target if target else page, anchor) for target, anchor in links]
    assert [anchor for target, anchor in targets if target.suffix == ".md" and anchor not in _anchors(target)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_source_files_that_a_page_names_exist(page: Path) -> None:
    """Paths in code spans, ``views/sparql/store.py``, are relative to the package or to the checkout."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    named = set(re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", text))
    assert sorted(name for name in named if not any((root / name).exists() for root in (ROOT / "provrepo", ROOT))) == []


def test_every_page_is_reachable_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.is_dir():
            waiting += page.glob("*.md")
        elif page.suffix == ".md":
            found = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text("utf-8"))
            waiting += [(page.parent / target).resolve() for target in found if (page.parent / target).exists()]
    assert [_name(page) for page in DOCS.rglob("*.md") if page not in seen] == []


def test_the_readme_shows_real_output(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(root() / "examples")
    assert readme.wrong(sys.executable, tmp_path) == []


@pytest.mark.parametrize("page", ["how-to/capture.md", "how-to/submit-from-a-pipeline.md", "how-to/query.md"])
def test_python_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import provrepo
    from tests.conftest import TURTLE

    monkeypatch.chdir(tmp_path)
    Path("run.ttl").write_bytes(TURTLE)
    with provrepo.open("data") as repository:
        repository.create_project("crops")
        repository.submit("run.ttl", project="crops", name="run-42")
    blocks = re.findall(r"(?s)<!-- python -->\n```python\n(.*?)```", (DOCS / page).read_text("utf-8"))
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_python_examples_are_python(page: Path) -> None:
    for block in re.findall(r"(?s)```python\n(.*?)```", page.read_text("utf-8")):
        if not re.match(r"\w+(\.\w+)*\(.*?\)( ->|$)", block) and page.name != "python.md":
            compile(block, str(page), "exec")


def test_the_makefile_has_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert {"demo:", "test:"} <= {line.split(" ")[0] for line in makefile.splitlines()}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
