"""Writes and reads files with real libraries, each case in a session of its own, or below ``provrepo run``.

Run as ``python capture_libraries_runner.py CASE prepare`` and ``CASE work`` in the folder of the case, which is a class
with two methods: what is there before, and what is recorded. Its docstring has the files that are read and written.
"""

from __future__ import annotations

import sys
from typing import Any


def frame() -> Any:
    import pandas as pd

    return pd.DataFrame({"crop": ["oats", "rye"], "yield": [3.5, 4.25]})


class Parquet:
    """in.parquet -> out.parquet."""

    def prepare(self) -> None:
        frame().to_parquet("in.parquet")

    def work(self) -> None:
        import pandas as pd

        pd.read_parquet("in.parquet").to_parquet("out.parquet")


class PyarrowParquet:
    """in.parquet -> out.parquet."""

    def prepare(self) -> None:
        frame().to_parquet("in.parquet")

    def work(self) -> None:
        import pyarrow.parquet as pq

        pq.write_table(pq.read_table("in.parquet", columns=["crop"]), "out.parquet")


class PyarrowDataset:
    """parts/a.parquet parts/b.parquet -> out/part-0.parquet."""

    def prepare(self) -> None:
        from pathlib import Path

        Path("parts").mkdir()
        frame().to_parquet("parts/a.parquet")
        frame().to_parquet("parts/b.parquet")

    def work(self) -> None:
        import pyarrow.dataset as ds

        seen = []
        ds.write_dataset(ds.dataset("parts"), "out", format="parquet", file_visitor=seen.append)
        assert [file.path for file in seen] == ["out/part-0.parquet"]


class Feather:
    """in.feather -> out.feather."""

    def prepare(self) -> None:
        frame().to_feather("in.feather")

    def work(self) -> None:
        from pyarrow import feather

        feather.write_feather(feather.read_feather("in.feather"), "out.feather")


class PandasFeather(Feather):
    """in.feather -> out.feather."""

    def work(self) -> None:
        import pandas as pd

        pd.read_feather("in.feather").to_feather("out.feather")


class ArrowFiles:
    """in.arrow in.csv -> out.arrow out.csv."""

    def prepare(self) -> None:
        import pyarrow as pa

        frame().to_csv("in.csv")
        table = pa.Table.from_pandas(frame())
        with pa.OSFile("in.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write(table)

    def work(self) -> None:
        import pyarrow as pa
        import pyarrow.csv

        table = pa.ipc.open_file(pa.memory_map("in.arrow")).read_all()
        with pa.OSFile("out.arrow", "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write(table)
        pyarrow.csv.write_csv(pyarrow.csv.read_csv("in.csv"), "out.csv")


class PolarsLazy:
    """parts/a.parquet parts/b.parquet in.csv -> out.parquet sunk.csv."""

    prepare_parts = PyarrowDataset.prepare

    def prepare(self) -> None:
        self.prepare_parts()
        frame().to_csv("in.csv")
        frame().to_csv("never.csv")

    def work(self) -> None:
        import polars as pl

        pl.scan_csv("never.csv").filter(pl.col("yield") > 1)  # never collected
        left = pl.scan_parquet("parts/*.parquet").group_by("crop").agg(pl.col("yield").sum())
        left.join(pl.scan_csv("in.csv"), on="crop").collect().write_parquet("out.parquet")
        pl.scan_csv("in.csv").sink_csv("sunk.csv")


class PolarsEager:
    """in.csv in.ipc in.parquet -> out.csv out.ipc out.json."""

    def prepare(self) -> None:
        frame().to_csv("in.csv")
        frame().to_feather("in.ipc", compression="uncompressed")
        frame().to_parquet("in.parquet")

    def work(self) -> None:
        import polars as pl

        pl.read_csv("in.csv").write_csv("out.csv")
        pl.read_ipc("in.ipc").write_ipc("out.ipc")
        pl.read_parquet("in.parquet").write_json("out.json")


class Hdf5:
    """in.h5 added.h5 -> out.h5 added.h5."""

    def prepare(self) -> None:
        import h5py

        for name in ("in.h5", "added.h5"):
            with h5py.File(name, "w") as file:
                file["a"] = [1, 2, 3]

    def work(self) -> None:
        import h5py

        with h5py.File("in.h5") as source, h5py.File("out.h5", "w") as target, h5py.File("added.h5", "a") as added:
            target["b"] = source["a"][:] * 2
            added["b"] = [4]


class PandasHdf5:
    """in.h5 -> out.h5."""

    def prepare(self) -> None:
        frame().to_hdf("in.h5", key="a")

    def work(self) -> None:
        import pandas as pd

        pd.read_hdf("in.h5").to_hdf("out.h5", key="b", mode="w")


class Netcdf:
    """in.nc -> out.nc."""

    def prepare(self) -> None:
        import netCDF4

        with netCDF4.Dataset("in.nc", "w") as file:
            file.createDimension("x", 3)
            file.createVariable("a", "f8", ("x",))[:] = [1, 2, 3]

    def work(self) -> None:
        import netCDF4

        with netCDF4.Dataset("in.nc") as source, netCDF4.Dataset("out.nc", "w") as target:
            target.createDimension("x", 3)
            target.createVariable("a", "f8", ("x",))[:] = source["a"][:]


class Xarray(Netcdf):
    """in.nc -> out.nc again.nc."""

    def work(self) -> None:
        import xarray as xr

        with xr.open_dataset("in.nc", engine="netcdf4") as source:
            source.mean().to_netcdf("out.nc", engine="netcdf4")
            source.to_netcdf("again.nc", engine="h5netcdf")


class Duckdb:
    """in.csv parts/a.parquet parts/b.parquet crops.db -> out.parquet crops.db."""

    def prepare(self) -> None:
        import duckdb

        PyarrowDataset().prepare()
        frame().to_csv("in.csv", index=False)
        with duckdb.connect("crops.db") as database:
            database.execute("CREATE TABLE raw AS SELECT 'oats' AS crop")

    def work(self) -> None:
        import duckdb

        rows = frame()  # a table of Python, which a statement names
        with duckdb.connect("crops.db") as database:
            database.execute("CREATE TABLE clean AS SELECT raw.crop FROM raw JOIN 'in.csv' c USING (crop)")
            database.execute("INSERT INTO clean SELECT crop FROM rows")
            database.cursor().execute("COPY (FROM read_parquet('parts/*.parquet')) TO 'out.parquet'")
            assert database.sql("FROM clean").fetchall() == [("oats",), ("oats",), ("rye",)]
        assert duckdb.sql("SELECT count(*) FROM rows").fetchall() == [(len(rows),)]


class DuckdbInMemory:
    """in.csv in.parquet -> out.csv."""

    def prepare(self) -> None:
        frame().to_csv("in.csv", index=False)
        frame().to_parquet("in.parquet")

    def work(self) -> None:
        import duckdb

        duckdb.sql("SELECT * FROM 'in.csv' a JOIN 'in.parquet' b USING (crop)").write_csv("out.csv")


class Torch:
    """in.pt -> out.pt."""

    def prepare(self) -> None:
        import torch

        torch.save({"a": torch.ones(3)}, "in.pt")

    def work(self) -> None:
        import torch

        torch.save(torch.load("in.pt"), "out.pt")


class Safetensors:
    """in.safetensors -> out.safetensors."""

    def prepare(self) -> None:
        import numpy as np
        from safetensors.numpy import save_file

        save_file({"a": np.ones(3)}, "in.safetensors")

    def work(self) -> None:
        from safetensors.numpy import load_file, save_file

        save_file(load_file("in.safetensors"), "out.safetensors")


class Joblib:
    """in.joblib -> out.joblib."""

    def prepare(self) -> None:
        import joblib

        joblib.dump(list(range(100)), "in.joblib")

    def work(self) -> None:
        import joblib

        joblib.dump(joblib.load("in.joblib"), "out.joblib", compress=3)


class Pillow:
    """in.png -> out.jpg."""

    def prepare(self) -> None:
        from PIL import Image

        Image.new("RGB", (8, 8), "green").save("in.png")

    def work(self) -> None:
        from PIL import Image

        Image.open("in.png").rotate(90).save("out.jpg")


class Fits:
    """in.fits -> out.fits."""

    def prepare(self) -> None:
        import numpy as np
        from astropy.io import fits

        fits.writeto("in.fits", np.ones((4, 4)))

    def work(self) -> None:
        from astropy.io import fits

        with fits.open("in.fits") as opened:
            fits.writeto("out.fits", opened[0].data * 2)


class Zarr:
    """store/in.zarr/zarr.json store/in.zarr/c/0 -> out.zarr/zarr.json out.zarr/c/0."""

    def prepare(self) -> None:
        import numpy as np
        import zarr

        zarr.save_array("store/in.zarr", np.arange(1, 4))

    def work(self) -> None:
        import zarr

        zarr.save_array("out.zarr", zarr.load("store/in.zarr") * 2)


class SqlAlchemy:
    """crops.db -> crops.db."""

    def prepare(self) -> None:
        import sqlite3

        with sqlite3.connect("crops.db") as database:
            database.execute("CREATE TABLE raw (crop)")

    def work(self) -> None:
        import pandas as pd
        from sqlalchemy import create_engine

        engine = create_engine("sqlite:///crops.db")
        frame().to_sql("clean", engine)
        pd.read_sql("SELECT crop FROM raw", engine)
        engine.dispose()


CASES = {kind.__name__: kind for kind in list(globals().values()) if isinstance(kind, type) and hasattr(kind, "work")}

if __name__ == "__main__":
    name, what, *way = sys.argv[1:]
    case = CASES[name]()
    if what == "prepare":
        case.prepare()
    elif way == ["late"]:  # the library is imported before capture
        case_module = sys.modules["__main__"]
        sys.path.insert(0, "")
        for library in ("duckdb", "h5py", "netCDF4", "pandas", "polars", "pyarrow.dataset", "sqlite3"):
            try:
                __import__(library)
            except ImportError:
                continue
        from provrepo.capture import session, step

        with session("run", out="run.trig"):
            step(name)(case.work)()
    else:
        case.work()
