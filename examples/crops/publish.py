"""Write the report that goes to the ministry, and say where its numbers come from, in PROV-XML.

Usage::

    python publish.py WORK

It reads the newest run and the labels, writes ``WORK/report.md`` and ``WORK/publish.provx``, and prints the path of
the latter.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from lab import ANA, ANA_NAME, CONTENT, LAB, ORCID, File, latest_run, now, read_json

PREFIXES = {
    "prov": "http://www.w3.org/ns/prov#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "schema": "http://schema.org/",
    "content": CONTENT,
    "label": f"{LAB}labels/",
    "report": f"{LAB}reports/",
    "orcid": ORCID,
}


def main() -> None:
    """Publish, then tell."""
    work = Path(sys.argv[1])
    run = latest_run(work)
    began = now()
    metrics = read_json(work / "runs" / run / "metrics.json")
    plots = len((work / "labels.csv").read_text("utf-8").splitlines()) - 1
    report = work / "report.md"
    report.write_text(
        f"# Crop yield\n\nThe model explains {metrics['r2']:.0%} of the variation in yield; it is off by "
        f"{metrics['mae']:.2f} t/ha on average. {plots} plots deserve a visit.\n",
        "utf-8",
    )
    document = work / "publish.provx"
    document.write_bytes(account(run, File.of(report), began, now()))
    print(document)


def account(run: str, report: File, began: str, ended: str) -> bytes:
    """The PROV-XML document."""
    root = ET.Element("prov:document", {f"xmlns:{prefix}": iri for prefix, iri in PREFIXES.items()})
    root.set("xmlns:run", f"{LAB}runs/{run}/")
    ana, publishing, made = f"orcid:{ANA}", f"report:{run}", "report:report.md"

    agent = described(root, "agent", ana)
    child(agent, "prov:label", ANA_NAME)
    child(agent, "prov:type", "prov:Person", {"xsi:type": "xsd:QName"})
    for entity, label in (
        ("run:metrics.json", "metrics.json"),
        ("label:labels.csv", "labels.csv"),
        (f"content:{report.sha1}", "the content of report.md"),
    ):
        child(described(root, "entity", entity), "prov:label", label)
    entity = described(root, "entity", made)
    child(entity, "prov:label", "report.md")
    child(entity, "schema:sha256", report.sha256)
    activity = described(root, "activity", publishing)
    child(activity, "prov:startTime", began)
    child(activity, "prov:endTime", ended)
    child(activity, "prov:label", "publish: a report for the ministry")

    related(root, "wasAssociatedWith", activity=publishing, agent=ana)
    for source in ("run:metrics.json", "label:labels.csv"):
        child(related(root, "used", activity=publishing, entity=source), "prov:time", began)
        related(root, "wasDerivedFrom", generatedEntity=made, usedEntity=source)
    child(related(root, "wasGeneratedBy", entity=made, activity=publishing), "prov:time", ended)
    related(root, "wasAttributedTo", entity=made, agent=ana)
    related(root, "specializationOf", specificEntity=made, generalEntity=f"content:{report.sha1}")
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def described(root: ET.Element, kind: str, name: str) -> ET.Element:
    """An element, activity or agent."""
    return ET.SubElement(root, f"prov:{kind}", {"prov:id": name})


def related(root: ET.Element, kind: str, **arguments: str) -> ET.Element:
    """A relation; its arguments come in PROV-XML's order."""
    relation = ET.SubElement(root, f"prov:{kind}")
    for argument, name in arguments.items():
        ET.SubElement(relation, f"prov:{argument}", {"prov:ref": name})
    return relation


def child(parent: ET.Element, name: str, text: str, attributes: dict[str, str] | None = None) -> None:
    """A child element with a text."""
    ET.SubElement(parent, name, attributes or {}).text = text


if __name__ == "__main__":
    main()
