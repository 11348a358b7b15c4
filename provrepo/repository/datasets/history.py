"""The history of the columns of a dataset: what each version changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from provrepo.repository.datasets.records import DatasetVersion, SchemaChange

__all__ = ["schema_changes"]


def schema_changes(versions: Sequence[DatasetVersion]) -> tuple[SchemaChange, ...]:
    """The changes of columns between versions, the latest first.

    A version without columns is one whose schema nobody stated: it neither changes anything nor is compared with.

    Args:
        versions: of one dataset, the latest first.
    """
    known = [version for version in versions if version.fields]
    found = []
    for version, former in pairwise(known):
        now = {field.name: field.type for field in version.fields}
        before = {field.name: field.type for field in former.fields}
        retyped = tuple(
            (name, before[name], type_) for name, type_ in now.items() if name in before and before[name] != type_
        )
        added = tuple(name for name in now if name not in before)
        removed = tuple(name for name in before if name not in now)
        if added or removed or retyped:
            found.append(SchemaChange(version.iri, version.written, former.iri, added, removed, retyped))
    return tuple(found)
