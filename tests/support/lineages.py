"""Documents with large lineages: a flood outlook of many stations, and a deep chain of steps with several inputs."""

from __future__ import annotations

import random

HYDRO = "https://hydro.example/"
BULLETIN = HYDRO + "bulletin.html"
RIVERS = ("Danube", "Inn", "Isar", "Lech", "Iller", "Naab", "Regen", "Traun")


Made = tuple[str, str, str]
"""Name, label and type of an entity that a step generates."""


class _Text:
    def __init__(self, base: str, prefix: str) -> None:
        self.prefix = prefix
        self.lines = ["document", f"  prefix {prefix} <{base}>"]

    def entity(self, name: str, label: str, type_: str) -> str:
        self.lines.append(
            f"""  entity({self.prefix}:{name}, [prov:label="{label}", prov:type='{self.prefix}:{type_}'])"""
        )
        return name

    def step(
        self, name: str, label: str, type_: str, agent: str, used: list[str], made: list[tuple[str, str, str]]
    ) -> None:
        p = self.prefix
        self.lines.append(f"""  activity({p}:{name}, -, -, [prov:label="{label}", prov:type='{p}:{type_}'])""")
        self.lines.append(f"  wasAssociatedWith({p}:{name}, {p}:{agent}, -)")
        self.lines += [f"  used({p}:{name}, {p}:{each}, -)" for each in used]
        for entity, words, kind in made:
            self.entity(entity, words, kind)
            self.lines.append(f"  wasGeneratedBy({p}:{entity}, {p}:{name}, -)")

    def agent(self, name: str, label: str) -> None:
        self.lines.append(f"""  agent({self.prefix}:{name}, [prov:label="{label}", prov:type='prov:Person'])""")

    def done(self) -> bytes:
        return "\n".join([*self.lines, "endDocument"]).encode()


def outlook(stations: int = 25, basins: int = 6, scenarios: int = 13) -> bytes:
    """A bulletin that rests on gauges: 9 columns from raw series to the publication. 199 things by default."""
    text = _Text(HYDRO, "hyd")
    for name, label in (("ir", "Ingest robot"), ("ak", "Ana Kovač"), ("li", "Lin Wei"), ("jo", "Joseph Okafor")):
        text.agent(name, label)
    text.entity("curves", "rating curves 2026", "Parameters")
    text.entity("grid", "model grid 1 km", "Parameters")
    text.entity("climate", "climatology 1991–2020", "Grid")
    series: list[str] = []
    for n in range(1, stations + 1):
        river = RIVERS[n % len(RIVERS)]
        raw = text.entity(f"raw{n}", f"{river} gauge S{n:02} raw.csv", "RawSeries")
        made = (f"series{n}", f"{river} gauge S{n:02} calibrated.csv", "Series")
        text.step(f"calibrate{n}", f"calibrate {river} S{n:02}", "Calibration", "ir", [raw, "curves"], [made])
        series.append(f"series{n}")
    for n in range(1, basins + 1):
        merged = (f"basin{n}", f"basin {n} discharge.nc", "BasinTable")
        text.step(f"merge{n}", f"merge basin {n}", "Merge", "ak", series[n - 1 :: basins], [merged])
        filled = (f"filled{n}", f"basin {n} discharge, gaps filled.nc", "BasinTable")
        text.step(f"fill{n}", f"fill gaps of basin {n}", "GapFilling", "li", [f"basin{n}", "climate"], [filled])
    figures: list[str] = []
    for n in range(1, scenarios + 1):
        name = chr(64 + n) if n <= 26 else str(n)
        flow = (f"flow{n}", f"scenario {name} simulated flow.nc", "Simulation")
        inputs = [f"filled{(n + k) % basins + 1}" for k in range(2)]
        text.step(f"run{n}", f"run model, scenario {name}", "ModelRun", "jo", [*inputs, "grid"], [flow])
        metrics = (f"metrics{n}", f"scenario {name} metrics.json", "Metrics")
        text.step(f"evaluate{n}", f"evaluate scenario {name}", "Evaluation", "jo", [f"flow{n}", inputs[0]], [metrics])
        drawn = [
            (f"figure{n}_1", f"figure {n}.1 hydrograph.png", "Figure"),
            (f"figure{n}_2", f"figure {n}.2 flow duration.png", "Figure"),
        ]
        text.step(f"plot{n}", f"plot scenario {name}", "Plotting", "li", [f"flow{n}", f"metrics{n}"], drawn)
        figures += [each[0] for each in drawn]
    metrics_of_all = [f"metrics{n}" for n in range(1, scenarios + 1)]
    text.step(
        "rank",
        "rank the scenarios",
        "Ranking",
        "ak",
        metrics_of_all,
        [("skill", "skill of all scenarios.csv", "Table")],
    )
    report = ("report", "Flood outlook, spring 2026.pdf", "Report")
    text.step("write", "write the outlook", "Writing", "ak", ["skill", *figures], [report])
    bulletin = ("bulletin.html", "Flood bulletin 2026-03.html", "Bulletin")
    text.step("publish", "publish the bulletin", "Publication", "jo", ["report"], [bulletin])
    return text.done()


def deep(steps: int = 80, seed: int = 7) -> bytes:
    """A chain of steps of which each used one to three of the last datasets; the last is ``https://deep.example/data79``."""
    text = _Text("https://deep.example/", "d")
    chance = random.Random(seed)
    agents = ("ab", "Ada Byron"), ("gh", "Grace Hopper"), ("lr", "Lise Reed")
    for name, label in agents:
        text.agent(name, label)
    made = [text.entity(f"sample{n}", f"sample {n}.csv", "Raw") for n in range(3)]
    for n in range(steps):
        used = list(dict.fromkeys([made[-1], *chance.choices(made[-7:], k=chance.randint(1, 2))]))
        text.step(
            f"step{n}", f"step {n}", "Processing", agents[n % 3][0], used, [(f"data{n}", f"dataset {n}.csv", "Table")]
        )
        made.append(f"data{n}")
    return text.done()
