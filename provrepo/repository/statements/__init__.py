"""The statements of one version: found by words, kind and thing; and what changed from one version to another."""
