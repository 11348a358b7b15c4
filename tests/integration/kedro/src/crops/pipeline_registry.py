"""Pipelines of Kedro: with versions, with values in memory, with a generator, and one that fails."""

from kedro.pipeline import Pipeline, node


def clean(raw):
    return raw.dropna()


def train(clean, alpha):
    return {"alpha": alpha, "rows": len(clean)}, {"r2": 0.5}


def count(model):
    return len(model)


def last(number):
    return None


def publish(model):
    raise PermissionError("/srv/models")


def chunks(raw):
    for start in range(0, len(raw), 100):
        yield raw[start : start + 100]


def register_pipelines():
    base = Pipeline(
        [
            node(clean, "raw", "clean", name="clean", tags=["prep"]),
            node(train, ["clean", "params:alpha"], ["model", "metrics"], name="train"),
            node(count, "model", "n", name="count"),
            node(last, "n", None, name="last"),
        ]
    )
    return {
        "__default__": base,
        "failing": base + Pipeline([node(publish, "model", "published", name="publish")]),
        "streamed": Pipeline([node(chunks, "raw", "parts", name="chunks")]),
    }
