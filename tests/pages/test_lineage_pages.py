"""Pages of lineage, things and searches: content, permissions, and escaping of hostile names."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import click
import pytest
from werkzeug.datastructures import MultiDict

from provrepo.cli.lineage import lineage as lineage_command
from provrepo.cli.main import cli
from provrepo.server.lineage.listing import LISTED
from provrepo.server.lineage.page_query import OF_QUERY, PageQuery
from provrepo.views.lineage.snapshot import Snapshot
from tests.pages.test_pages import Page, foreign_scripts
from tests.support.lineages import BULLETIN, outlook
from tests.support.serving import BROWSER, Site, opened

EX = "https://example.org/"
SCRIPT = "javascript:alert(1)"
HOSTILE = f"""document
  prefix ex <{EX}>
  prefix js <javascript:>
  entity(ex:evil, [prov:label="<img src=x onerror=alert(2)>", prov:type='js:alert\\(3\\)'])
  entity(js:alert\\(1\\), [prov:label="\\"><script>alert(1)</script>"])
  wasDerivedFrom(ex:evil, js:alert\\(1\\))
endDocument""".encode()
SECRET = f"document\nprefix ex <{EX}>\nwasDerivedFrom(ex:raw, ex:confidential)\nendDocument".encode()
WIDE, LONG = 600, 250
"""Things derived from ``ex:hub``, and the length of a chain."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as site:
        site.submit("hostile", HOSTILE)
        site.submit("hidden", SECRET, project="secret")
        fan = "".join(f"wasDerivedFrom(ex:leaf{number}, ex:hub)\n" for number in range(WIDE))
        chain = "".join(f"wasDerivedFrom(ex:link{n + 1}, ex:link{n})\n" for n in range(LONG))
        site.submit("wide", f"document\nprefix ex <{EX}>\n{fan}endDocument".encode())
        site.submit("long", f"document\nprefix ex <{EX}>\n{chain}endDocument".encode())
        yield site


def get(site: Site, path: str, who: str = "", **parameters: str) -> str:
    address = f"{path}?{urlencode(parameters)}" if parameters else path
    answer = site.client.get(address, headers={"Accept": BROWSER, **site.auth(who)})
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/html"
    return answer.text


def rows(text: str) -> list[str]:
    """The text of each row in the tables of things."""
    tables = re.findall(r'(?s)<table class="rows things">.*?</table>', text)
    assert tables
    found = [Page(row).text for table in tables for row in re.findall(r"(?s)<tr>.*?</tr>", table)[1:]]
    return [" ".join(row.split()) for row in found]


def names(text: str) -> list[str]:
    return re.findall(r'<span class="iri">([^<]*)</span>', text[text.index("<tbody>") :])


def test_upstream_lineage(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}table")
    page = Page(text)
    assert "Lineage of harvest <b>2025</b>" in page.text
    assert "It came from 3 things" in page.text
    shown = rows(text)
    assert len(shown) == 4
    assert shown[0].startswith("0 harvest <b>2025</b>")
    assert [EX + name for name in ("table", "raw", "run", "ada")] == names(text)[:4]
    assert [row for row in shown if "root" in row] == [row for row in shown if row.startswith("1 raw ")]
    assert "open" in shown[1]
    assert "run version 1" in shown[1]
    assert any(link["href"] == "/projects/open/documents/run/versions/1" for link in page.all("a"))


def test_the_picture_links_to_other_lineages(site: Site) -> None:
    page = Page(get(site, "/lineage", iri=f"{EX}table", depth="3", strict="true"))
    (picture,) = [drawing for drawing in page.all("svg") if drawing.get("class") == "overview far"]
    # Links inside an image could not be reached.
    assert picture["role"] == "group"
    inside = [link for link in page.all("a") if (link.get("class") or "").startswith("node ")]
    targets = [urlsplit(link["href"] or "") for link in inside]
    asked = [parse_qs(target.query) for target in targets if target.path == "/lineage" and "iri=" in target.query]
    assert {"iri": [f"{EX}raw"], "depth": ["3"], "strict": ["true"]} in asked
    assert [link["href"] for link in inside if "focus" in (link["class"] or "")] == ["#things"]


def test_what_depends_on_a_thing_is_counted_in_groups(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}raw", direction="downstream")
    affected = text[text.index('id="impact"') : text.index('id="things"')]
    assert "By kind" in affected
    assert re.findall(r"(entity|activity|open|ada)</(?:span|a)></dt><dd>(\d+)</dd>", affected) == [
        ("activity", "1"),
        ("entity", "1"),
        ("ada", "2"),
        ("open", "2"),
    ]
    assert 'id="impact"' not in get(site, "/lineage", iri=f"{EX}raw")


def test_agents_are_shown_with_their_labels(site: Site) -> None:
    """Also if the agents are not among the things; labels from unreadable projects are not shown."""
    named = """document
  prefix ex <https://example.org/>
  wasDerivedFrom(ex:made, ex:seed)
  wasAttributedTo(ex:made, ex:bo)
  agent(ex:bo, [prov:label="Bo <i>"])
endDocument"""
    site.submit("named", named.encode())
    site.submit("named", named.replace("Bo <i>", "A secret name").encode(), project="secret")
    shown = {
        who: re.findall(
            r'title="https://example.org/bo">([^<]*)</a> <span class="note">([^<]*)</span></dt><dd>1</dd>',
            get(site, "/lineage", who, iri=f"{EX}seed", direction="downstream"),
        )
        for who in ("", "reader")
    }
    assert shown == {"": [("Bo &lt;i&gt;", "bo")], "reader": [("A secret name", "bo")]}


def test_a_link_leads_one_step_further(site: Site) -> None:
    page = Page(get(site, "/lineage", iri=f"{EX}link{LONG}", depth="3"))
    (further,) = [link for link in page.all("a") if "depth=4" in (link["href"] or "")]
    assert "+1 one step further" in page.text
    answer = get(site, further["href"] or "")
    assert "It came from 4 things" in answer
    assert "step further" not in get(site, "/lineage", iri=f"{EX}link3", depth="3")


@pytest.mark.parametrize("group", ["", "type", "plan", "project", "distance"])
def test_all_parts_of_the_list_have_all_things_once(site: Site, group: str) -> None:
    asked = {"iri": f"{EX}hub", "direction": "downstream", **({"group": group} if group else {})}
    found = site.client.get("/lineage", query_string={**asked, "format": "json"}).get_json()
    iris, page, edges = list[str](), 1, 0
    while True:
        text = get(site, "/lineage", **asked, page=str(page))
        iris += re.findall(r'<span class="iri">([^<]*)</span> <a class="note"', text)
        edges += int((re.search(r"<summary>([\d,]+) of [\d,]+ relations", text) or ["", "0"])[1].replace(",", ""))
        if 'rel="next"' not in text:
            break
        page += 1
    assert page > 1
    assert sorted(iris) == sorted(node["iri"] for node in found["nodes"])
    assert edges == found["total_edges"]


def test_the_list_is_grouped_with_the_numbers_of_its_groups(tmp_path: Path) -> None:
    with opened(tmp_path / "site") as site:
        site.submit("outlook", outlook())
        _grouped(site)


def _grouped(site: Site) -> None:
    found = site.client.get("/lineage", query_string={"iri": BULLETIN}).get_json()
    heads: dict[str, int] = {}
    for page in "123":
        text = get(site, "/lineage", iri=BULLETIN, page=page)
        for name, caption in re.findall(
            r"(?s)<h3 id=.group-of-things[^>]*>([^<]*)</h3>.*?<caption>([^<]*)</caption>", text
        ):
            number = re.fullmatch(r"(?:\d+–\d+ of )?(\d+) things?, nearest first", caption)
            assert number is not None, caption
            assert heads.setdefault(name, int(number[1])) == int(number[1])
    types = Counter((node["kinds"][0], [*node["types"], ""][0].rpartition("/")[2]) for node in found["nodes"])
    assert heads["activity, Calibration"] == 25
    assert {name: number for name, number in heads.items() if "without" not in name} == {
        f"{kind}, {type_}": number for (kind, type_), number in types.items() if kind != "agent"
    }
    text = get(site, "/lineage", iri=BULLETIN, group="project")
    assert re.findall(r"<h3 id=.group-of-things[^>]*>([^<]*)</h3>", text) == ["open"]
    assert len(rows(text)) == LISTED
    assert f"1–{LISTED} of 203" in text


@pytest.mark.parametrize("wrong", ["group=size", "page=0", "page=x", "collapse=size"])
def test_a_list_or_picture_that_there_is_not_is_refused(site: Site, wrong: str) -> None:
    answer = site.client.get(f"/lineage?iri={EX}table&{wrong}", headers={"Accept": BROWSER})
    assert answer.status_code == 400
    assert wrong.partition("=")[0] in answer.text


def test_a_large_lineage_states_what_it_omits(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}hub", direction="downstream")
    page = Page(text)
    assert f"1–{LISTED} of {WIDE + 1}" in " ".join(page.text.split())
    assert f"{WIDE + 1} things as 2: {WIDE + 1} entities, folded by type" in page.text
    assert len(rows(text)) == LISTED
    # What is counted is everything, whatever the page has room for.
    affected = text[text.index('id="impact"') : text.index('id="things"')]
    assert f"entity</span></dt><dd>{WIDE}</dd>" in affected


def test_only_readable_things_are_shown(site: Site) -> None:
    for path, parameters in (
        ("/lineage", {"iri": f"{EX}raw"}),
        ("/lineage", {"iri": f"{EX}table", "direction": "both"}),
        ("/thing", {"iri": f"{EX}raw"}),
        ("/search", {"q": "example"}),
    ):
        for who in ("", "open"):
            text = get(site, path, who, **parameters)
            assert "confidential" not in text
            assert "secret" not in text
        assert "secret" in get(site, path, "reader", **parameters)
    for path in ("/lineage", "/thing"):
        hidden = site.client.get(path, query_string={"iri": f"{EX}confidential"}, headers={"Accept": BROWSER})
        unknown = site.client.get(path, query_string={"iri": f"{EX}unknown"}, headers={"Accept": BROWSER})
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.data == unknown.data
    assert "Nothing that you may read" in get(site, "/search", q="confidential")


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/lineage", {"iri": f"{EX}evil", "direction": "both"}),
        ("/lineage", {"iri": SCRIPT, "direction": "downstream"}),
        ("/lineage", {"iri": f"{EX}evil", "to": SCRIPT}),
        ("/thing", {"iri": SCRIPT}),
        ("/thing", {"iri": f"{EX}evil"}),
        ("/search", {"q": "alert"}),
        ("/search", {"q": '"><script>alert(9)</script>'}),
        ("/search", {"q": "x", "project": ""}),
        ("/projects/open/documents/hostile", {}),
    ],
)
def test_hostile_names_are_text(site: Site, path: str, parameters: dict[str, str]) -> None:
    text = get(site, path, **parameters)
    page = Page(text)
    assert foreign_scripts(page) == []
    assert [image for image in page.all("img") if not re.fullmatch(r"/projects/[\w/-]+\.svg", image["src"] or "")] == []
    for name, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"], name
        for key in ("href", "src", "action", "xlink:href"):
            # The links in the head of a page, of PROV-AQ and to web addresses, are for programs.
            target = None if name == "link" and attributes.get("rel") != "stylesheet" else attributes.get(key)
            assert target is None or re.match(r"(/(?!/)|#|https://www\.w3\.org/)", target), target
    if path != "/search":
        assert "alert(" in page.text


def test_pages_without_parameters_are_valid(site: Site) -> None:
    for path in ("/lineage", "/thing", "/search", "/lineage?iri=&direction=&depth=&as_of=&stop=", "/search?q="):
        page = Page(get(site, path))
        assert len(page.all("form")) == 2
        assert site.client.get(path).status_code == 400


def test_empty_fields_count_as_missing(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}table", direction="", depth="", to="", project="")
    assert "It came from 3 things" in text
    assert 'id="things"' in get(site, "/search", q="harvest", project="")


def test_the_form_keeps_the_query(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}table", direction="both", depth="2", alternates="true", project="open")
    page = Page(text)
    fields = {field["name"]: field for field in page.all("input")[::-1] if "name" in field}
    assert fields["iri"]["value"] == f"{EX}table"
    assert fields["depth"]["value"] == "2"
    assert fields["project"]["value"] == "open"
    assert "checked" in fields["alternates"]
    assert "checked" not in fields["strict"]
    chosen = [option["value"] for option in page.all("option") if "selected" in option]
    assert [value for value in chosen if value] == ["both"]


def test_downloads_and_commands_repeat_the_query(site: Site) -> None:
    text = get(site, "/lineage", iri=f"{EX}table", depth="2", strict="true")
    page = Page(text)
    downloads = [link["href"] or "" for link in page.all("a") if "download" in link]
    assert len(downloads) == len({link["download"] for link in page.all("a") if "download" in link}) == 16
    for target in downloads:
        asked = parse_qs(urlsplit(target).query)
        assert {name: asked[name] for name in ("iri", "depth", "strict")} == {
            "iri": [f"{EX}table"],
            "depth": ["2"],
            "strict": ["true"],
        }
        answer = site.client.get(target, headers={"Accept": BROWSER})
        assert answer.status_code == 200
        packed = answer.data.startswith(b"PK")
        assert (b"nodes.csv" if packed else b"raw") in answer.data
    assert f"provrepo lineage {EX}table" in page.text
    assert f"'{EX}" not in page.text


@pytest.mark.parametrize("iri", [f"{EX}a'b", f"{EX}$(rm -rf)", f"{EX}a;b&c"])
def test_commands_can_be_pasted(iri: str) -> None:
    asked = PageQuery.of(
        MultiDict([("iri", iri), ("direction", "both"), ("depth", "3"), ("strict", "true"), ("alternates", "false")])
    )
    given = shlex.split(asked.command().replace("\\\n", ""))
    assert given[:3] == ["provrepo", "lineage", iri]
    # Invoked below its group: on its own, a command lacks the help options of the group.
    group = click.Context(cli, **cli.context_settings)
    with lineage_command.make_context("lineage", given[2:], parent=group) as context:
        assert {name: context.params[name] for name in ("iri", "direction", "depth", "strict", "alternates")} == {
            "iri": iri,
            "direction": "both",
            "depth": 3,
            "strict": True,
            "alternates": False,
        }
    curl = shlex.split(asked.curl("https://lab.example/lineage").replace("\\\n", ""))
    assert curl[2] == "https://lab.example/lineage"
    assert f"iri={iri}" in curl


def test_every_parameter_is_an_option_of_the_command() -> None:
    assert isinstance(lineage_command, click.Command)
    options = {name.lstrip("-") for parameter in lineage_command.params for name in parameter.opts}
    assert {name.replace("_", "-") for name in OF_QUERY} - {"source"} <= options


def test_every_page_has_a_search_field(site: Site) -> None:
    for path in ("/", "/projects", "/sparql", "/lineage", "/projects/open/documents/run"):
        page = Page(get(site, path))
        (form,) = [form for form in page.all("form") if form.get("role") == "search"]
        assert form["action"] == "/search"


def test_content_is_shown_by_the_prefix_of_its_digest(site: Site) -> None:
    content = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    short = "sha-256 f4OxZX_x…"
    site.submit(
        "bytes",
        f"document\nprefix ex <{EX}>\nprefix c <{content}>\nspecializationOf(ex:bytes, c:)\nendDocument".encode(),
    )
    text = get(site, "/lineage", iri=f"{EX}bytes")
    assert rows(text)[1].startswith(f"1 {short} {content} details")
    assert f">{short}</text>" in text
    assert f'<span title="{content}">{short}</span>' in text
    for path in ("/lineage", "/thing"):
        page = Page(get(site, path, iri=content))
        assert f"{short}" in page.text
        assert content in page.text


def test_the_page_of_a_thing_shows_labels_of_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"
    named = f"""document
  prefix ex <https://example.org/>
  prefix c <{content}>
  wasGeneratedBy(ex:loaf, ex:baking, -)
  wasAttributedTo(ex:loaf, ex:baker)
  wasAssociatedWith(ex:baking, ex:baker, ex:loaf)
  wasDerivedFrom(ex:loaf, ex:dough, ex:baking, -, -)
  specializationOf(ex:loaf, c:)
  activity(ex:baking, [prov:label="Baking & cooling"])
  agent(ex:baker, [prov:label="{"Ada " * 30}"])
endDocument"""
    looked_up: list[int] = []
    labels = Snapshot.labels

    def counted(snapshot: Snapshot, iris: Sequence[str]) -> dict[str, str]:
        looked_up.append(len(iris))
        return labels(snapshot, iris)

    monkeypatch.setattr(Snapshot, "labels", counted)
    site.submit("loaf", named.encode())
    private = f'document\nprefix ex <{EX}>\nentity(ex:dough, [prov:label="A <b>secret</b> dough"])\nendDocument'
    site.submit("loaf", private.encode(), project="secret")
    text = get(site, "/thing", iri=f"{EX}loaf")
    assert len(looked_up) == 1, "one look-up for all of them"
    called = re.findall(r'<span class="label">([^<]*)</span>&#32;<a class="iri" href="([^"]*)"[^>]*>([^<]*)</a>', text)
    ada = f"{('Ada ' * 30)[:79]}…"
    assert set(called) == {
        ("Baking &amp; cooling", f"/thing?iri={EX}baking", f"{EX}baking"),
        (ada, f"/thing?iri={EX}baker", f"{EX}baker"),
        ("sha-256 f4OxZX_x…", f"/thing?iri={content}", content),
    }
    assert len(called) == 6
    assert '<span class="name">plan</span> <span class="self" title' in " ".join(text.split()), "itself, by its name"
    assert "secret" not in text
    assert "A <b>secret</b> dough" in Page(get(site, "/thing", "reader", iri=f"{EX}loaf")).text
    assert "A <b>secret</b> dough" not in Page(get(site, "/thing", "reader", iri=f"{EX}loaf", project="open")).text
    looked_up.clear()
    site.client.get(f"/thing?iri={EX}loaf")
    assert looked_up == [], "the page does not show them"


def test_search_lists_its_results(site: Site) -> None:
    text = get(site, "/search", q="harvest 20")
    assert len(rows(text)) == 1
    page = Page(text)
    assert {"class": "label", "href": f"/thing?iri={quote(EX + 'table', safe=':/')}"} in page.all("a")
    assert any((link["href"] or "").startswith("/lineage?iri=") for link in page.all("a"))
    many = Page(get(site, "/search", q="example"))
    assert "50 of 8" in many.text


def test_errors_of_lineage_are_pages(site: Site) -> None:
    answer = site.client.get("/lineage", query_string={"iri": "report.md"}, headers={"Accept": BROWSER})
    assert answer.status_code == 400
    assert "is not an absolute IRI" in answer.text


def test_the_same_address_gives_programs_json(site: Site) -> None:
    for path in (f"/lineage?iri={EX}table", f"/thing?iri={EX}table", "/search?q=harvest"):
        assert site.client.get(path).mimetype == "application/json"
        assert site.client.get(path, headers={"Accept": BROWSER}).vary.find("accept") >= 0


def test_documents_link_to_their_things(site: Site) -> None:
    page = Page(get(site, "/projects/open/documents/run"))
    targets = [link["href"] or "" for link in page.all("a")]
    for name in ("table", "run", "ada", "raw"):
        assert f"/thing?iri={EX}{name}" in targets
    assert f"/lineage?iri={EX}table&direction=both" in targets
    # Things of a former version may be unknown today.
    former = Page(get(site, "/projects/open/documents/twice/versions/1"))
    assert not [link for link in former.all("a") if "/thing?" in (link["href"] or "")]


def test_links_of_a_former_state_keep_as_of(site: Site) -> None:
    version = site.owner.submit(
        f"document\nprefix ex <{EX}>\nwasDerivedFrom(ex:late, ex:early)\nendDocument".encode(),
        project="open",
        name="passing",
        format="provn",
    ).version
    # Replaced and not withdrawn: what is withdrawn is left out of answers as of then.
    site.submit("passing", f"document\nprefix ex <{EX}>\nentity(ex:passed)\nendDocument".encode())
    then = f"open/{version.sequence}"
    assert site.client.get("/lineage", query_string={"iri": f"{EX}late"}).status_code == 404
    for path, parameters in (
        ("/lineage", {"iri": f"{EX}late", "as_of": then}),
        ("/lineage", {"iri": f"{EX}early", "direction": "downstream", "as_of": then}),
        ("/thing", {"iri": f"{EX}late", "as_of": then}),
    ):
        page = Page(get(site, path, **parameters))
        assert f"As it was at {then}" in page.text
        targets = [link["href"] or "" for link in page.all("a") if "as_of" in (link["href"] or "")]
        assert len(targets) > 2
        for target in targets:
            assert site.client.get(target, headers={"Accept": BROWSER}).status_code == 200, target
    found = Page(get(site, "/lineage", iri=f"{EX}late", as_of=then))
    leading = [link["href"] or "" for link in found.all("a") if EX in (link["href"] or "")]
    assert [target for target in leading if "as_of" not in target] == []


def test_a_thing_can_be_downloaded(site: Site) -> None:
    page = Page(get(site, "/thing", iri=f"{EX}table"))
    downloads = [link["href"] or "" for link in page.all("a") if "download" in link]
    assert len(downloads) == 4
    for target in downloads:
        answer = site.client.get(target, headers={"Accept": BROWSER})
        assert answer.status_code == 200
        assert b"table" in answer.data


def test_headings_do_not_skip_a_level(site: Site) -> None:
    for path in (f"/lineage?iri={EX}raw&direction=downstream", f"/thing?iri={EX}table", "/search?q=harvest"):
        levels = [int(name[1]) for name, _ in Page(get(site, path)).elements if re.fullmatch(r"h[1-6]", name)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
