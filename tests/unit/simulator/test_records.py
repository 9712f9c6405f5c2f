from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.mapping import TableStream, ViewType
from cdk_streams.simulator._dynamodb.numbering import sequence_number
from cdk_streams.simulator._records import START, expire, in_order, insert, modify, remove
from lambda_runtime import AttributeValueError, parse

OLD = {"pk": "ORDER#1", "status": "PLACED"}
NEW = {"pk": "ORDER#1", "status": "PAID"}


def test_a_record_has_the_shape_that_lambda_delivers() -> None:
    stream = TableStream(table="Orders", view_type="NEW_IMAGE", region="eu-west-1")

    record = modify(OLD, NEW, stream=stream, number=38, at=1789654328.75)

    assert len(record["eventID"]) == 32
    assert int(record.pop("eventID"), 16) > 0
    assert record == {
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1789654328.0,
            "Keys": {"pk": {"S": "ORDER#1"}},
            "NewImage": {"pk": {"S": "ORDER#1"}, "status": {"S": "PAID"}},
            "SequenceNumber": sequence_number(38),
            "SizeBytes": 28,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": (
            "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-01-01T00:00:00.000"
        ),
    }
    assert isinstance(record["dynamodb"]["ApproximateCreationDateTime"], float)


@pytest.mark.parametrize(
    ("view_type", "inserted", "modified", "removed"),
    [
        ("KEYS_ONLY", [], [], []),
        ("NEW_IMAGE", ["NewImage"], ["NewImage"], []),
        ("OLD_IMAGE", [], ["OldImage"], ["OldImage"]),
        ("NEW_AND_OLD_IMAGES", ["NewImage"], ["NewImage", "OldImage"], ["OldImage"]),
    ],
)
def test_an_image_that_the_view_type_lacks_is_absent(
    view_type: ViewType, inserted: list[str], modified: list[str], removed: list[str]
) -> None:
    stream = TableStream(view_type=view_type)

    def images(record: dict[str, Any]) -> list[str]:
        return [name for name in record["dynamodb"] if name.endswith("Image")]

    assert images(insert(NEW, stream=stream)) == inserted
    assert images(modify(OLD, NEW, stream=stream)) == modified
    assert images(remove(OLD, stream=stream)) == removed
    assert images(expire(OLD, stream=stream)) == removed


def test_only_an_expired_item_has_a_user_identity() -> None:
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}

    assert expire(OLD)["userIdentity"] == identity
    assert {**remove(OLD), "userIdentity": identity} == expire(OLD)
    assert "userIdentity" not in remove(OLD)


def test_the_same_call_builds_the_same_record() -> None:
    assert insert(NEW) == insert(NEW)
    assert insert(NEW)["eventID"] != insert(NEW, number=2)["eventID"]


def test_records_in_order_are_numbered_from_one() -> None:
    records = in_order(insert(OLD), modify(OLD, NEW), remove(NEW))

    assert records == [insert(OLD), modify(OLD, NEW, number=2), remove(NEW, number=3)]
    assert in_order(remove(NEW), first=3) == records[2:]


def test_sequence_numbers_grow_as_integers_and_not_as_text() -> None:
    numbers = [sequence_number(number) for number in range(1, 1_200)]

    assert sorted(numbers, key=int) == numbers
    assert sorted(numbers) != numbers
    assert {len(number) for number in numbers} == {21, 22, 23, 24}
    assert len(sequence_number(10**20 - 1)) == 40


def test_every_kind_of_value_comes_back_from_the_runtime() -> None:
    item = {
        "pk": b"\x00key",
        "sk": 7,
        "text": "Zürich",
        "number": Decimal("12.5"),
        "flag": False,
        "nothing": None,
        "names": frozenset({"a", "b"}),
        "sizes": frozenset({1, 2}),
        "blobs": frozenset({b"x"}),
        "list": [1, {"deep": ["x"]}],
        "map": {"a": {"b": "c"}},
    }

    (change,) = parse({"Records": [insert(item, keys=("pk", "sk"))]})

    assert change.new.to_dict() == item
    assert change.keys.to_dict() == {"pk": b"\x00key", "sk": 7}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("12.50", "12.5"), ("1E+2", "100"), ("-0", "0"), ("0.0010", "0.001"), ("100", "100")],
)
def test_numbers_come_in_the_text_that_dynamodb_keeps(written: str, kept: str) -> None:
    record = insert({"pk": 1, "n": Decimal(written), "set": {Decimal(written)}})

    image = record["dynamodb"]["NewImage"]
    assert (image["n"], image["set"]) == ({"N": kept}, {"NS": [kept]})


def test_a_time_is_a_datetime_of_any_zone_or_seconds() -> None:
    zone = timezone(timedelta(hours=2))
    seconds = START.timestamp()

    assert insert(NEW, at=START.astimezone(zone)) == insert(NEW, at=seconds) == insert(NEW)


def test_a_datetime_without_a_zone_is_refused() -> None:
    with pytest.raises(SourceError, match=r"at must have a time zone, got 2026-01-01T00:00:00"):
        insert(NEW, at=datetime(2026, 1, 1))  # noqa: DTZ001 - the missing zone is what is tested


def test_a_missing_key_attribute_is_named() -> None:
    with pytest.raises(SourceError, match=r"has the key attributes pk, sk, got one without sk"):
        insert(NEW, keys=("pk", "sk"))


def test_a_changed_key_is_no_modification() -> None:
    with pytest.raises(SourceError, match="a modified item keeps its key pk"):
        modify(OLD, {**NEW, "pk": "ORDER#2"})


def test_a_float_is_refused_as_boto3_does() -> None:
    with pytest.raises(AttributeValueError, match="float"):
        insert({"pk": "1", "price": 9.99})


def test_a_handler_that_changes_a_key_leaves_the_image_alone() -> None:
    record = insert(NEW)
    record["dynamodb"]["Keys"]["pk"]["S"] = "changed"

    assert record["dynamodb"]["NewImage"]["pk"] == {"S": "ORDER#1"}


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1, 253_402_300_800])
def test_a_time_that_no_record_has_is_refused(at: float) -> None:
    with pytest.raises(
        SourceError, match="at must be a datetime, or seconds since 1970 up to the year 9999, got"
    ):
        insert({"pk": "1"}, at=at)
