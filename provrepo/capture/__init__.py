"""Capture: pipeline steps that record their own provenance.

::

    from provrepo.capture import session, step

    @step
    def clean(table): ...

    with session(out="run.trig"):
        clean(load("raw.csv"))

A failure of capture never reaches the program: it is logged to ``provrepo.capture``. The import needs only the
standard library.
"""

from __future__ import annotations

from provrepo.capture.facts.machine_learning import log_data, log_metrics, log_model, log_params
from provrepo.capture.facts.parts import Part, select
from provrepo.capture.sessions import session
from provrepo.capture.steps import step

__all__ = ["Part", "log_data", "log_metrics", "log_model", "log_params", "select", "session", "step"]
