"""Flows of Prefect: attempts, assets, a flow inside of a flow, an asynchronous one, and one that fails."""

import asyncio
from pathlib import Path

from prefect import flow, task
from prefect.assets import materialize

import provrepo.hooks.prefect  # noqa: F401 (switches the recording on)

HERE = Path.cwd()
TRIES = []


@materialize(f"file://{HERE}/clean.csv", asset_deps=[f"file://{HERE}/raw.csv"], by="text")
def clean(src):
    rows = [line for line in Path(src).read_text().splitlines() if ",," not in line]
    Path("clean.csv").write_text("\n".join(rows))
    return rows


@task(retries=1)
def train(rows, alpha):
    TRIES.append(alpha)
    if len(TRIES) == 1:
        raise ValueError("the first attempt")
    Path("model.bin").write_bytes(b"x" * len(rows))
    return {"rows": [len(rows)]}


@task
def note():
    return None


@materialize("s3://lab/models/crop")
def publish(model, fail):
    if fail:
        raise PermissionError("/srv/models")


@flow
def inner(number):
    return note.submit().result()


@flow(name="crops")
def pipeline(src="raw.csv", alpha=1.0, fail=False):
    noted = note.submit()
    model = train(clean.submit(src), alpha, wait_for=[noted])
    inner(3)
    publish(model, fail)


@task
async def later(rows):
    return [rows, rows]


@flow
async def several():
    return await later([1])


if __name__ == "__main__":
    pipeline()
    try:
        pipeline(fail=True)
    except PermissionError:
        print("failed")
    asyncio.run(several())
