"""A pipeline of Luigi whose last task fails."""

import subprocess

import luigi

import provrepo.hooks.luigi  # noqa: F401 (switches the recording on)


class Raw(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("raw.csv")


class Clean(luigi.Task):
    def requires(self):
        return Raw()

    def output(self):
        return luigi.LocalTarget("clean.csv")

    def run(self):
        with self.input().open() as source, self.output().open("w") as target:
            target.writelines(line for line in source if ",," not in line)


class Train(luigi.Task):
    alpha = luigi.FloatParameter(default=1.0)
    api_token = luigi.Parameter(default="hunter2secret")

    def requires(self):
        return Clean()

    def output(self):
        return [luigi.LocalTarget("model.txt"), luigi.LocalTarget("metrics.json")]

    def run(self):  # no Python opens the files
        subprocess.check_call(["sh", "-c", "wc -l < clean.csv > model.txt; echo {} > metrics.json"])


class Publish(luigi.Task):
    def requires(self):
        return Train()

    def output(self):
        return luigi.LocalTarget("published.txt")

    def run(self):
        raise PermissionError("/srv/models")
