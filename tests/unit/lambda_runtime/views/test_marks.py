"""Marks: one for each source item, however its key is written, read until all are there."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB
from lambda_runtime import parse
from lambda_runtime.views import View, ViewWriter, backfill_event

CREATED_S = 1_789_654_328.0


@pytest.mark.parametrize("number", ["3.0", "3", "3e0"])
def test_a_key_has_one_mark_however_its_number_is_written(
    writer: ViewWriter, make_record: Any, number: str
) -> None:
    record = make_record(1, keys={"id": {"N": number}})

    assert writer.prepare(parse({"Records": [record]})[0]).item == '{"id":{"N":"3"}}'


def test_a_key_that_is_too_long_for_a_mark_is_shortened(
    writer: ViewWriter, make_record: Any
) -> None:
    record = make_record(1, keys={"pk": {"S": "x" * 2048}, "sk": {"S": "y" * 1024}})

    assert writer.prepare(parse({"Records": [record]})[0]).item.startswith("sha256:")


@pytest.mark.parametrize("key", [{"B": "AAEC"}, {"N": "1E+2"}, {"S": "é"}])
def test_a_stream_and_a_scan_name_an_item_alike(
    writer: ViewWriter, make_record: Any, key: dict[str, str]
) -> None:
    scanned = {"B": b"\x00\x01\x02"} if "B" in key else {"N": "100"} if "N" in key else key
    event = backfill_event([{"id": scanned}], ["id"], scanned_at=CREATED_S)

    streamed = parse({"Records": [make_record(1, keys={"id": key})]})[0]

    assert writer.prepare(parse(event)[0]).item == writer.prepare(streamed).item


class Throttled:
    """A client whose first answers leave keys out."""

    def __init__(self, dynamodb: FakeDynamoDB, answers: int) -> None:
        self.dynamodb, self.answers = dynamodb, answers
        self.transact_write_items = dynamodb.transact_write_items

    def batch_get_item(self, **request: Any) -> Any:
        if self.answers:
            self.answers -= 1
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
        return self.dynamodb.batch_get_item(**request)


def test_marks_that_were_not_read_for_load_are_asked_for_again(
    change: Any, view: View, apply: Any, dynamodb: FakeDynamoDB, paused: list[float]
) -> None:
    apply(change(1, customer="a", total=3))
    client = Throttled(dynamodb, answers=3)
    writer = ViewWriter(view, target="totals", marks="marks", client=client)

    apply(change(2, customer="a", total=4), by=writer)

    assert [(row["orders"], row["total"]) for row in dynamodb.items("totals")] == [(1, 4)]
    assert len(paused) == 3


def test_a_throttled_table_of_marks_is_named(change: Any, view: View, apply: Any) -> None:
    client = Throttled(FakeDynamoDB({"totals": ("customer",), "marks": ("item",)}), answers=99)
    writer = ViewWriter(view, target="totals", marks="marks", client=client)

    with pytest.raises(TimeoutError, match="the table of marks 'marks' is throttled"):
        apply(change(1, customer="a", total=3), by=writer)
