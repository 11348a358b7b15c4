"""Run all pipelines, each in a session of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from provrepo.capture import session
from tests.integration.pipelines.truth import PIPELINES

if __name__ == "__main__":
    place = Path(sys.argv[1]).absolute()
    for name, kind in PIPELINES.items():
        folder = place / name
        folder.mkdir(parents=True)
        os.chdir(folder)
        pipeline = kind()
        pipeline.prepare()
        with session("session", out="run.trig"):
            pipeline.work()
