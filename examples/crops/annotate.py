"""An agronomist looks at the plots that the model gets most wrong, and labels them. Says so in PROV-N.

Usage::

    python annotate.py WORK

It reads the newest run, writes ``WORK/labels.csv`` and ``WORK/annotate.provn``, and prints the path of the latter.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from lab import BO, BO_NAME, CONTENT, LAB, ORCID, File, latest_run, now, read_json

SUSPICIOUS = 3
"""How many plots are worth a visit."""

DOCUMENT = """\
document
  prefix schema <http://schema.org/>
  prefix data <{lab}data/>
  prefix label <{lab}labels/>
  prefix run <{lab}runs/{run}/>
  prefix content <{content}>
  prefix orcid <{orcid}>

  // Bo labels the plots that the model of the run gets most wrong.
  agent(orcid:{bo}, [prov:type='prov:Person', prov:label="{name}"])
  entity(run:clean.csv, [prov:label="clean.csv"])
  entity(run:model.json, [prov:label="model.json"])
  entity(label:labels.csv, [prov:label="labels.csv", schema:sha256="{sha256}"])
  entity(content:{sha1}, [prov:label="the content of labels.csv"])
  specializationOf(label:labels.csv, content:{sha1})
  activity(label:{run}, {began}, {ended}, [prov:label="annotate: {count} suspicious plots"])
  wasAssociatedWith(label:{run}, orcid:{bo}, -, [prov:role="agronomist"])
  used(label:{run}, run:clean.csv, {began})
  used(label:{run}, run:model.json, {began})
  wasGeneratedBy(label:labels.csv, label:{run}, {ended})
  wasDerivedFrom(label:labels.csv, run:clean.csv)
  wasDerivedFrom(label:labels.csv, run:model.json)
  wasAttributedTo(label:labels.csv, orcid:{bo})
endDocument
"""


def main() -> None:
    """Label, then tell."""
    work = Path(sys.argv[1])
    run = latest_run(work)
    began = now()
    labels = work / "labels.csv"
    label(work / "runs" / run / "clean.csv", read_json(work / "runs" / run / "model.json"), labels)
    file = File.of(labels)
    document = work / "annotate.provn"
    document.write_text(
        DOCUMENT.format(
            lab=LAB,
            run=run,
            content=CONTENT,
            orcid=ORCID,
            bo=BO,
            name=BO_NAME,
            sha1=file.sha1,
            sha256=file.sha256,
            began=began,
            ended=now(),
            count=SUSPICIOUS,
        ),
        "utf-8",
    )
    print(document)


def label(cleaned: Path, model: dict[str, float], labels: Path) -> None:
    """Write the plots with the largest residuals, and which way they err."""
    features = [name for name in model if name not in {"alpha", "intercept"}]
    with cleaned.open(newline="", encoding="utf-8") as source:
        residuals = [
            (float(row["yield_t_ha"]) - model["intercept"] - sum(model[f] * float(row[f]) for f in features), row)
            for row in csv.DictReader(source)
        ]
    residuals.sort(key=lambda pair: -abs(pair[0]))
    with labels.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["plot_id", "label"])
        for residual, row in residuals[:SUSPICIOUS]:
            writer.writerow(
                [row["plot_id"], "yields more than expected" if residual > 0 else "yields less than expected"]
            )


if __name__ == "__main__":
    main()
