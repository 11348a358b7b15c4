"""Hooks of workflow tools: each module is switched on by one line, and records the runs of its tool by ``capture``.

``provrepo.hooks.kedro``, ``provrepo.hooks.luigi`` and ``provrepo.hooks.prefect`` run in the processes of the tool. What
they record is a session: a journal, then a document, then, where a server is set, a submission. A failure of a hook
never reaches the pipeline.
"""
