"""Pipelines of the kinds that are found in public repositories, written anew, and what each of them really does.

A pipeline is a class: its docstring has the truth, for each step ``step: files read -> files written``; ``prepare``
makes its inputs, and ``work`` is what is recorded. ``python -m tests.integration.pipelines FOLDER`` leaves a document
``FOLDER/NAME/run.trig`` of each.
"""
