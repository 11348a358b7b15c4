"""Run by ``spark-submit`` of the group ``spark``: reads CSV, joins, writes Parquet, and aggregates what it wrote."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 (its usual name)


def main(folder: Path) -> None:
    spark = SparkSession.builder.appName("harvest").getOrCreate()
    plots = spark.read.csv(str(folder / "plots.csv"), header=True, inferSchema=True)
    crops = spark.read.csv(str(folder / "crops.csv"), header=True)
    known = plots.join(crops, "crop").where(F.col("kg").isNotNull())
    known.select("plot", "name", (F.col("kg") / 1000).alias("tons")).write.parquet(str(folder / "joined"))
    joined = spark.read.parquet(str(folder / "joined"))
    joined.groupBy("name").agg(F.sum("tons").alias("total")).write.parquet(str(folder / "total"))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
