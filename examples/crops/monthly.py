"""Compare the month's runs, and vouch for the comparison: a bundle, and who made it, in TriG.

Usage::

    python monthly.py WORK

It reads all runs, writes ``WORK/monthly.csv`` and ``WORK/monthly.trig``, and prints the path of the latter.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab import ANA, ANA_NAME, CONTENT, LAB, ORCID, File, all_runs, now, read_json

# The bundle says how the comparison came about; the top level says who stands behind the bundle.
DOCUMENT = """\
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix schema: <http://schema.org/> .
@prefix content: <{content}> .
@prefix month: <{lab}months/> .
@prefix orcid: <{orcid}> .

orcid:{ana} a prov:Agent, prov:Person ; rdfs:label "{name}" .
month:account
    a prov:Entity, prov:Bundle ;
    rdfs:label "how this month's runs were compared" ;
    prov:wasAttributedTo orcid:{ana} ;
    prov:generatedAtTime "{ended}"^^xsd:dateTime .

month:account {{
    orcid:{ana} a prov:Agent, prov:Person ; rdfs:label "{name}" .
    month:compare
        a prov:Activity ;
        rdfs:label "compare: {count} runs" ;
        prov:startedAtTime "{began}"^^xsd:dateTime ;
        prov:endedAtTime "{ended}"^^xsd:dateTime ;
        prov:wasAssociatedWith orcid:{ana} ;
        prov:used {sources} .
    month:monthly.csv
        a prov:Entity ;
        rdfs:label "monthly.csv" ;
        schema:sha256 "{sha256}" ;
        prov:specializationOf content:{sha1} ;
        prov:wasGeneratedBy month:compare ;
        prov:wasDerivedFrom {sources} ;
        prov:wasAttributedTo orcid:{ana} .
    content:{sha1} a prov:Entity ; rdfs:label "the content of monthly.csv" .
{described}
}}
"""


def main() -> None:
    """Compare, then tell."""
    work = Path(sys.argv[1])
    runs = all_runs(work)
    began = now()
    table = work / "monthly.csv"
    metrics = {run: read_json(work / "runs" / run / "metrics.json") for run in runs}
    models = {run: read_json(work / "runs" / run / "model.json") for run in runs}
    lines = ["run,alpha,r2,mae"]
    lines += [f"{run},{models[run]['alpha']},{metrics[run]['r2']},{metrics[run]['mae']}" for run in runs]
    table.write_text("\n".join(lines) + "\n", "utf-8")

    file = File.of(table)
    used = [f"<{LAB}runs/{run}/{name}>" for run in runs for name in ("metrics.json", "model.json")]
    document = work / "monthly.trig"
    document.write_text(
        DOCUMENT.format(
            lab=LAB,
            content=CONTENT,
            orcid=ORCID,
            ana=ANA,
            name=ANA_NAME,
            count=len(runs),
            sources=", ".join(used),
            described="\n".join(described(iri) for iri in used),
            sha1=file.sha1,
            sha256=file.sha256,
            began=began,
            ended=now(),
        ),
        "utf-8",
    )
    print(document)


def described(iri: str) -> str:
    """What is used is described: one line of the bundle."""
    return f'    {iri} a prov:Entity ; rdfs:label "{iri[1:-1].rpartition("/")[2]}" .'


if __name__ == "__main__":
    main()
