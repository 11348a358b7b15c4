"""The pictures of pages in the documentation: which page each shows, and what must be seen on it.

``python -m tests.support.pictures`` takes them again in a headless Chromium, and writes them to ``docs/pictures``. The
times of submission are those of the run; all else is the same in each.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.browsing import Screen, browsing, serving
from tests.support.lineages import BULLETIN, outlook
from tests.support.paths import ROOT
from tests.support.serving import Site, opened

__all__ = ["FOLDER", "MOST_BYTES", "PICTURES", "Picture", "exhibited", "shot"]

FOLDER = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1180, 740
MOST_BYTES = 60_000
BAD = b"""document
  prefix hyd <https://hydro.example/>
  entity(hyd:snow.png, [prov:label="snow cover"])
  activity(hyd:draw, 2026-03-14T08:00:00Z, 2026-03-14T09:00:00Z, [prov:label="draw the snow cover"])
  activity(hyd:mask, -, -)
  wasGeneratedBy(hyd:snow.png, hyd:draw, 2026-03-14T08:40:00Z)
  used(hyd:draw, hyd:mask.nc, 2026-03-14T08:30:00Z)
  wasGeneratedBy(hyd:mask.nc, hyd:mask, -)
  agent(hyd:ana, [prov:label="Ana Lima"])
  wasAssociatedWith(hyd:draw, hyd:ana, -)
endDocument
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        name: of its file, without the suffix.
        path: of the page that it shows.
        seen: selectors of elements that must be on the screen.
        ready: an expression that is true when the page can be taken.
    """

    name: str
    path: str
    seen: tuple[str, ...]
    ready: str = "true"


PICTURES = (
    Picture(
        "page-document",
        "/projects/hydrology/documents/outlook",
        (".verdict .good", ".sections", ".findings .source", "aside .thumbnail img"),
        "document.querySelector('.thumbnail img').complete",
    ),
    Picture(
        "page-lineage",
        f"/lineage?iri={BULLETIN}",
        (".overview .entity", ".overview .activity", ".overview .agent", ".legend", ".zoom"),
        "document.querySelector('.scripted .overview')",
    ),
    Picture(
        "page-submit",
        "/submit?project=hydrology&pending={pending}",
        (".strip .bad", ".gutter .violation", "button[name=repair]", ".marks .place a"),
    ),
    Picture(
        "page-project",
        "/projects/hydrology",
        (".cards .chart", ".cards .badge.bad", "table.listed tbody tr", ".filters"),
    ),
    Picture(
        "page-query",
        "/projects/hydrology/sparql?query=SELECT+%3Ftype+%28COUNT%28%3Fs%29+AS+%3Fn%29+%7B+%3Fs+a+%3Ftype+%7D"
        "+GROUP+BY+%3Ftype+ORDER+BY+DESC%28%3Fn%29+LIMIT+8",
        ("svg.chart rect", "#share"),
        "document.querySelector('.editor')",
    ),
)


@contextmanager
def exhibited(data: Path, profile: Path) -> Iterator[tuple[Site, Screen, str, str]]:
    """The repository of the pictures, a browser with a session, its address, and what waits there to be mended."""
    with opened(data) as site:
        site.owner.create_project("hydrology", public=True, title="Flood outlook, upper Danube", profiles=["core"])
        for name, stations in (("gauges", 8), ("winter", 12), ("rating-review", 18)):
            site.submit(name, outlook(stations).replace(b"hydro.example", f"{name}.example".encode()), "hydrology")
        site.submit("outlook", outlook(), "hydrology")
        kept, _ = site.owner.submit_for_review(BAD, project="hydrology", name="snow", refused=True)
        with browsing(profile) as screen, serving(site.app) as address:
            screen.sign_in(address, site.tokens["all"])
            yield site, screen, address, kept.id


def shot(screen: Screen, address: str, pending: str, picture: Picture) -> None:
    """Show the page of a picture."""
    screen.show(address + picture.path.format(pending=pending), width=WIDTH, height=HEIGHT)
    screen.wait(picture.ready)


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as folder, exhibited(Path(folder) / "data", Path(folder) / "profile") as shown:
        _, screen, address, pending = shown
        for picture in PICTURES:
            shot(screen, address, pending, picture)
            target = FOLDER / f"{picture.name}.webp"
            for quality in range(80, 0, -5):
                taken = screen.call("Page.captureScreenshot", format="webp", quality=quality)["data"]
                if target.write_bytes(base64.b64decode(taken)) <= MOST_BYTES:
                    break
            print(f"{target.name}: {target.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
