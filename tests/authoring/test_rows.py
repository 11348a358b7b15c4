"""Rows of a table as steps."""

from __future__ import annotations

import pytest

from provrepo.authoring.rows import RowsError, read
from provrepo.errors import Error, ReadError, UsageError

MAPPING = [
    ("what", "Task"),
    ("who", "Operator"),
    ("when", "Start"),
    ("when", "End"),
    ("output", "Made"),
    ("parameter", "Temp"),
]


def test_columns_are_mapped_to_fields() -> None:
    lines = [
        "Task;Operator;Start;End;Made;Temp;Room",
        "weighed;Ana;2026-01-31T09:00;2026-01-31T10:00;urn:x:a;21;E2",
        ";;;;;;",
        '"dried\nslowly";;2026-02-01;;"urn:x:b; urn:x:c";;E3',
    ]
    data = "\n".join(lines)
    found = read(data.encode("utf-8-sig"), "bench.csv", MAPPING, {"who": ["Bo"], "plan": ["SOP 1"]})
    first, second = found.steps
    assert (first.what, first.who[0].name, first.start, first.end) == (
        "weighed",
        "Ana",
        "2026-01-31T09:00:00",
        "2026-01-31T10:00:00",
    )
    assert first.parameters == (("Temp", "21"),)
    assert (second.what, second.who[0].name, second.parameters) == ("dried\nslowly", "Bo", ())
    assert [each.iri for each in second.outputs] == ["urn:x:b", "urn:x:c"]
    assert second.plan is not None
    assert found.unused == ("Room",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_headings_that_are_fields_need_no_mapping(delimiter: str) -> None:
    lines = [["What", "WHO", "when", "output", "parameter"], ["a", "Ana", "2026-01-31", "urn:x:a", "t=3"]]
    data = "\r\n".join(delimiter.join(line) for line in lines).encode()
    (step,) = read(data, "a.csv", [], {}).steps
    assert (step.what, step.parameters) == ("a", (("t", "3"),))


def test_every_wrong_cell_is_named_by_row_and_column() -> None:
    lines = [
        *("What,By,From,To,Output", "a,Ana,soon,,urn:x:a", "", ",Ana,2026-01-31,,urn:x:a"),
        *("b,Ana,2026-01-31,,lost.csv", "c,Ana,2026-01-31,,urn:x:a,more"),
    ]
    data = "\n".join(lines).encode()
    mapping = [("who", "By"), ("when", "From"), ("when", "To")]
    with pytest.raises(RowsError) as caught:
        read(data, "bench.csv", mapping, {})
    found = [(problem.row, problem.columns, problem.field) for problem in caught.value.problems]
    assert found == [
        (2, ("From", "To"), "when"),
        (4, ("What",), "what"),
        (5, ("Output",), "output"),
        (6, (), "cells"),
    ]
    assert str(caught.value).startswith("bench.csv: row 2, columns From and To: 'soon' is not a time")
    assert str(caught.value).endswith("(and 3 more)")


@pytest.mark.parametrize(
    ("data", "mapping", "error", "message"),
    [
        (b"", [], ReadError, "has no headings"),
        (b"what,who,when,output\n", [], ReadError, "has no rows"),
        (b"what,who,when,output,what\n", [], ReadError, "two columns with the heading 'what'"),
        (b"what,who\n\xe9,b\n", [], ReadError, "is not UTF-8 (byte 9)"),
        (b'what,who,when,output\n"a,b,c,d\n', [], ReadError, 'row 2: a quotation mark (") that is not closed'),
        (b"what,who,output\na,b,c\n", [], UsageError, "no column for 'when'"),
        (b"what,who,when,output\na,b,c,d\n", [("what", "Task")], UsageError, "no column 'Task'; it has: what, who"),
        (b"what,who,when,output\na,b,c,d\n", [("where", "what")], UsageError, "no field 'where'"),
        (b"what,t,who,when\na,b,c,d\n", [("what", "t"), ("what", "who")], UsageError, "mapped to 2 columns"),
    ],
)
def test_what_is_no_table_of_steps(
    data: bytes, mapping: list[tuple[str, str]], error: type[Error], message: str
) -> None:
    with pytest.raises(error) as caught:
        read(data, "bench.csv", mapping, {})
    assert message in str(caught.value)
