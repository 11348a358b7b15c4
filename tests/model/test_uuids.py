"""Texts of UUIDs of version 5 are those of the standard library."""

import uuid

from hypothesis import given
from hypothesis.strategies import text, uuids

from provrepo.model.uuids import uuid5


@given(uuids(), text())
def test_a_name_has_the_uuid_of_the_standard_library(space: uuid.UUID, name: str) -> None:
    encodable = name.encode("utf-8", "replace").decode()
    assert uuid5(space.bytes, encodable) == str(uuid.uuid5(space, encodable))
