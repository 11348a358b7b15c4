"""Pipelines over tables, databases and URLs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from provrepo.capture import step
from tests.integration.pipelines.inputs import ROWS, rows


class CsvStatistics:
    """means: raw.csv -> means.json."""

    def prepare(self) -> None:
        rows("raw.csv")

    def work(self) -> None:
        import csv
        import json
        import statistics

        @step
        def means(source: str, target: str) -> None:
            with open(source, newline="") as file:
                found = [float(row["yield"]) for row in csv.DictReader(file)]
            with open(target, "w") as file:
                json.dump({"mean": statistics.fmean(found)}, file)

        means("raw.csv", "means.json")


class PandasJoin:
    """load: left.csv right.csv -> ; save: -> joined.parquet; report: joined.parquet -> report.csv."""

    def prepare(self) -> None:
        rows("left.csv", "right.csv")

    def work(self) -> None:
        import pandas as pd

        @step
        def load() -> Any:
            return pd.read_csv("left.csv").merge(pd.read_csv("right.csv"), on="crop")

        @step
        def save(table: Any) -> None:
            table.to_parquet("joined.parquet")

        @step
        def report() -> None:
            pd.read_parquet("joined.parquet").groupby("crop").mean().to_csv("report.csv")

        save(load()), report()


class ManyFiles:
    """concatenate: raw/a.csv raw/b.csv raw/c.csv -> all.csv."""

    def prepare(self) -> None:
        rows("raw/a.csv", "raw/b.csv", "raw/c.csv")

    def work(self) -> None:
        import glob

        import pandas as pd

        @step
        def concatenate() -> None:
            pd.concat(map(pd.read_csv, sorted(glob.glob("raw/*.csv")))).to_csv("all.csv", index=False)

        concatenate()


class Training:
    """train: train.csv -> model.joblib; evaluate: model.joblib test.csv -> metrics.json."""

    def prepare(self) -> None:
        Path("train.csv").write_text("a,b,label\n" + "".join(f"{n},{n % 3},{n % 2}\n" for n in range(30)))
        Path("test.csv").write_text("a,b,label\n" + "".join(f"{n},{n % 3},{n % 2}\n" for n in range(9)))

    def work(self) -> None:
        import json

        import joblib
        import pandas as pd
        from sklearn.linear_model import LogisticRegression

        @step
        def train() -> None:
            table = pd.read_csv("train.csv")
            joblib.dump(LogisticRegression().fit(table[["a", "b"]], table.label), "model.joblib")

        @step
        def evaluate() -> None:
            table = pd.read_csv("test.csv")
            score = joblib.load("model.joblib").score(table[["a", "b"]], table.label)
            Path("metrics.json").write_text(json.dumps({"accuracy": score}))

        train(), evaluate()


class SqliteLoad:
    """load: raw.csv -> crops.db; report: crops.db -> report.txt."""

    def prepare(self) -> None:
        rows("raw.csv")

    def work(self) -> None:
        import csv
        import sqlite3

        @step
        def load() -> None:
            database = sqlite3.connect("crops.db")
            with open("raw.csv", newline="") as file, database:
                database.execute("CREATE TABLE raw (crop, yield)")
                database.executemany("INSERT INTO raw VALUES (:crop, :yield)", list(csv.DictReader(file)))
            database.close()

        @step
        def report() -> None:
            database = sqlite3.connect("crops.db")
            Path("report.txt").write_text(str(database.execute("SELECT * FROM raw").fetchall()))
            database.close()

        load(), report()


class Analytics:
    """aggregate: sales.parquet shops.csv -> totals.csv."""

    def prepare(self) -> None:
        import pandas as pd

        rows("shops.csv")
        pd.read_csv("shops.csv").to_parquet("sales.parquet")

    def work(self) -> None:
        import duckdb

        @step
        def aggregate() -> None:
            duckdb.connect().execute(
                "COPY (SELECT crop, sum(s.yield) FROM 'sales.parquet' s JOIN read_csv('shops.csv') USING (crop) "
                "GROUP BY crop) TO 'totals.csv' (HEADER)"
            )

        aggregate()


class LazyFrames:
    """summarize: days/1.csv days/2.csv -> summary.parquet."""

    def prepare(self) -> None:
        rows("days/1.csv", "days/2.csv")

    def work(self) -> None:
        import polars as pl

        @step
        def summarize() -> None:
            pl.scan_csv("days/*.csv").group_by("crop").agg(pl.col("yield").sum()).collect().write_parquet(
                "summary.parquet"
            )

        summarize()


class JsonLines:
    """select: events.jsonl -> selected.jsonl rejected.jsonl."""

    def prepare(self) -> None:
        Path("events.jsonl").write_text('{"a": 1}\n{"a": 2}\n')

    def work(self) -> None:
        import json

        @step
        def select() -> None:
            with open("events.jsonl") as events, open("selected.jsonl", "w") as yes, open("rejected.jsonl", "w") as no:
                for line in events:
                    (yes if json.loads(line)["a"] > 1 else no).write(line)

        select()


class Configured:
    """run: pipeline.toml raw.csv -> clean.csv."""

    def prepare(self) -> None:
        rows("raw.csv")
        Path("pipeline.toml").write_text('source = "raw.csv"\nlimit = 3\n')

    def work(self) -> None:
        import tomllib

        import pandas as pd

        @step
        def run() -> None:
            settings = tomllib.loads(Path("pipeline.toml").read_text())
            table = pd.read_csv(settings["source"])
            table[table["yield"] > settings["limit"]].to_csv("clean.csv", index=False)

        run()


class _Served(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(ROWS)))
        self.end_headers()
        self.wfile.write(ROWS.encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The URL of a table on a server of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/served.csv"
    server.shutdown()
    server.server_close()


class Download:
    """fetch: served.csv -> raw.csv; tidy: raw.csv -> tidy.csv."""

    def prepare(self) -> None:
        pass

    def work(self) -> None:
        import requests

        @step
        def fetch(url: str) -> None:
            Path("raw.csv").write_bytes(requests.get(url, timeout=60).content)

        @step
        def tidy() -> None:
            Path("tidy.csv").write_text(Path("raw.csv").read_text().lower())

        with served() as url:
            fetch(url)
        tidy()


class Remote:
    """compare: served.csv -> same.txt; tabulate: served.csv -> table.parquet."""

    def prepare(self) -> None:
        pass

    def work(self) -> None:
        import fsspec
        import httpx
        import pandas as pd

        @step
        def compare(url: str) -> None:
            with fsspec.open(url) as file:
                Path("same.txt").write_text(str(file.read() == httpx.get(url).content))

        @step
        def tabulate(url: str) -> None:
            pd.read_csv(url).to_parquet("table.parquet")

        with served() as url:
            compare(url), tabulate(url)


class Cached:
    """make: raw.csv -> cache.pkl; again: cache.pkl -> ; save: -> out.txt."""

    def prepare(self) -> None:
        rows("raw.csv")

    def work(self) -> None:
        import pickle

        def load() -> list[str]:
            if not Path("cache.pkl").exists():
                Path("cache.pkl").write_bytes(pickle.dumps(Path("raw.csv").read_text().split()))
                return []
            found: list[str] = pickle.loads(Path("cache.pkl").read_bytes())
            return found

        @step
        def save(lines: list[str]) -> None:
            Path("out.txt").write_text("\n".join(lines))

        step("make")(load)()
        save(step("again")(load)())


class Markup:
    """convert: catalog.xml -> catalog.csv."""

    def prepare(self) -> None:
        Path("catalog.xml").write_text("<c><crop name='oats'/></c>")

    def work(self) -> None:
        import csv
        import xml.etree.ElementTree as Tree

        @step
        def convert() -> None:
            with open("catalog.csv", "w", newline="") as file:
                csv.writer(file).writerows([crop.get("name")] for crop in Tree.parse("catalog.xml").getroot())

        convert()


class Partitions:
    """split: raw.parquet -> parts/crop=oats/part-0.parquet parts/crop=rye/part-0.parquet."""

    def prepare(self) -> None:
        import pandas as pd

        rows("raw.csv")
        pd.read_csv("raw.csv").to_parquet("raw.parquet")

    def work(self) -> None:
        import pyarrow.dataset as ds

        @step
        def split() -> None:
            ds.write_dataset(
                ds.dataset("raw.parquet"), "parts", format="parquet", partitioning=["crop"],
                partitioning_flavor="hive",
            )  # fmt: skip

        split()
