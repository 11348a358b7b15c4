"""Pipelines over text and archives, in processes and threads, and with other programs."""

from __future__ import annotations

import sys
from pathlib import Path

from provrepo.capture import step
from tests.integration.pipelines.inputs import ROWS, rows


class Archive:
    """unpack: data.zip -> data/a.csv data/b.csv; count: data/a.csv data/b.csv -> counts.txt."""

    def prepare(self) -> None:
        import zipfile

        with zipfile.ZipFile("data.zip", "w") as archive:
            archive.writestr("data/a.csv", ROWS)
            archive.writestr("data/b.csv", ROWS)

    def work(self) -> None:
        import zipfile

        @step
        def unpack() -> None:
            with zipfile.ZipFile("data.zip") as archive:
                archive.extractall()

        @step
        def count() -> None:
            found = [len(path.read_text().splitlines()) for path in sorted(Path("data").iterdir())]
            Path("counts.txt").write_text(str(found))

        unpack(), count()


class Corpus:
    """words: book.txt.gz stop.txt -> words.tsv."""

    def prepare(self) -> None:
        import gzip

        Path("book.txt.gz").write_bytes(gzip.compress(b"the crop and the rye"))
        Path("stop.txt").write_text("the\nand\n")

    def work(self) -> None:
        import collections
        import gzip

        @step
        def words() -> None:
            stop = set(Path("stop.txt").read_text().split())
            with gzip.open("book.txt.gz", "rt") as book, open("words.tsv", "w") as out:
                for word, count in collections.Counter(w for w in book.read().split() if w not in stop).items():
                    print(word, count, sep="\t", file=out)

        words()


class Processes:
    """spread: -> ; convert: in/a.csv in/b.csv -> out/a.txt out/b.txt."""

    def prepare(self) -> None:
        rows("in/a.csv", "in/b.csv")
        Path("out").mkdir()

    def work(self) -> None:
        from joblib import Parallel, delayed

        @step
        def spread() -> None:
            Parallel(2)(delayed(convert)(name) for name in ("a", "b"))

        spread()


@step
def convert(name: str) -> None:
    """A function that processes can import."""
    Path(f"out/{name}.txt").write_text(Path(f"in/{name}.csv").read_text())


class Threads:
    """squares: in/1.txt in/2.txt in/3.txt -> sum.txt."""

    def prepare(self) -> None:
        Path("in").mkdir()
        for number in (1, 2, 3):
            Path(f"in/{number}.txt").write_text(str(number))

    def work(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        @step
        def squares() -> None:
            with ThreadPoolExecutor(3) as pool:
                found = pool.map(lambda path: int(path.read_text()) ** 2, sorted(Path("in").iterdir()))
            Path("sum.txt").write_text(str(sum(found)))

        squares()


class Scripts:
    """run: raw.csv -> upper.csv."""

    def prepare(self) -> None:
        rows("raw.csv")
        Path("upper.py").write_text("import sys\nprint(open(sys.argv[1]).read().upper())\n")

    def work(self) -> None:
        import subprocess

        @step
        def run() -> None:
            with open("upper.csv", "w") as out:
                subprocess.run([sys.executable, "upper.py", "raw.csv"], stdout=out, check=True)

        run()


class Sorted:
    """arrange: raw.csv -> sorted.csv."""

    def prepare(self) -> None:
        rows("raw.csv")

    def work(self) -> None:
        import subprocess

        @step
        def arrange() -> None:  # what sort itself opens is only named as unexplained
            with open("sorted.csv", "w") as out:
                subprocess.run(["sort", "raw.csv"], stdout=out, check=True)

        arrange()


class Atomic:
    """publish: draft.txt -> published.txt."""

    def prepare(self) -> None:
        Path("draft.txt").write_text("x")
        Path("published.txt").write_text("older")

    def work(self) -> None:
        import os
        import tempfile

        @step
        def publish() -> None:
            with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
                file.write(Path("draft.txt").read_text() * 2)
            os.replace(file.name, "published.txt")

        publish()


class Appending:
    """first: -> log.txt; second: log.txt -> log.txt."""

    def prepare(self) -> None:
        pass

    def work(self) -> None:
        def log(text: str) -> None:
            with open("log.txt", "a") as file:
                file.write(text)

        step("first")(log)("1")
        step("second")(log)("2")


class Bundle:
    """collect: a.csv b.csv -> results.tar.gz."""

    def prepare(self) -> None:
        rows("a.csv", "b.csv")

    def work(self) -> None:
        import tarfile

        @step
        def collect() -> None:
            with tarfile.open("results.tar.gz", "w:gz") as archive:
                archive.add("a.csv")
                archive.add("b.csv")

        collect()


class Copies:
    """stage: source/a.csv source/b.csv -> stage/a.csv stage/b.csv."""

    def prepare(self) -> None:
        rows("source/a.csv", "source/b.csv")

    def work(self) -> None:
        import shutil

        @step
        def stage() -> None:
            shutil.copytree("source", "stage")

        stage()
