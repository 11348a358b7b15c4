"""Run by the interpreter of the group: mlcroissant validates descriptions, and writes one of its own."""

import json
import sys
from pathlib import Path

import mlcroissant

folder = Path(sys.argv[1])
found = {}
for path in sorted(folder.glob("*.json")):
    try:
        dataset = mlcroissant.Dataset(jsonld=json.loads(path.read_text("utf-8")))
        found[path.name] = sorted(each.id for each in dataset.metadata.distribution)
    except mlcroissant.ValidationError as error:
        found[path.name] = str(error)
own = mlcroissant.Metadata(
    name="crops",
    description="Yields of plots.",
    license=["https://spdx.org/licenses/CC0-1.0.html"],
    url="https://lab.example/crops",
    distribution=[
        mlcroissant.FileObject(
            id="raw.csv", name="raw.csv", content_url="raw.csv", encoding_formats=["text/csv"], sha256="a" * 64
        )
    ],
    record_sets=[
        mlcroissant.RecordSet(
            id="plots",
            name="plots",
            fields=[
                mlcroissant.Field(
                    id="plots/ph",
                    name="plots/ph",
                    data_types=mlcroissant.DataType.FLOAT,
                    source=mlcroissant.Source(file_object="raw.csv", extract=mlcroissant.Extract(column="soil_ph")),
                )
            ],
        )
    ],
)
(folder / "own").write_text(json.dumps(own.to_json(), default=str), "utf-8")
print(json.dumps(found))
