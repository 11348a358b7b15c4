"""Two validations of a file by Great Expectations in a project of its own, before and after the file has changed."""

from __future__ import annotations

import sys
from pathlib import Path

import great_expectations as gx

PLOTS = Path("plots.csv")
PLOTS.write_text("plot,soil_ph\n1,6.5\n2,7.0\n", "utf-8")

context = gx.get_context(mode="file", project_root_dir=sys.argv[1])
source = context.data_sources.add_pandas_filesystem("crops", base_directory=".")
batch = source.add_csv_asset("plots_csv").add_batch_definition_path("plots", path="plots.csv")
suite = context.suites.add(gx.ExpectationSuite(name="plots"))
suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="soil_ph"))
suite.add_expectation(gx.expectations.ExpectTableRowCountToBeBetween(min_value=1, max_value=10))
definition = context.validation_definitions.add(gx.ValidationDefinition(name="plots", data=batch, suite=suite))
checkpoint = context.checkpoints.add(gx.Checkpoint(name="nightly", validation_definitions=[definition]))
assert checkpoint.run().success
PLOTS.write_text("plot,soil_ph\n1,\n2,7.0\n", "utf-8")
assert not checkpoint.run().success
