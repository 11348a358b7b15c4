"""Workflow engines whose records name runs, their tasks, and files by path: Snakemake, Nextflow, Cromwell."""
