"""Guarded writes: the request that a change becomes, and what it does to a target."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from lambda_runtime import (
    AttributeValueError,
    GuardError,
    MemoryTable,
    MissingImageError,
    guarded_delete,
    guarded_put,
    is_tombstone,
    parse,
    write_once,
)
from lambda_runtime._tables.conditional_writes import EXPIRES_AT, SEQUENCE, padded
from lambda_runtime._tables.memory_table import ItemRefused, item_bytes

CREATED_S = 1_789_654_328
FIFTEEN_DAYS_S = 15 * 24 * 60 * 60


@pytest.fixture
def change(make_record: Any) -> Any:
    """`change(2, "MODIFY", status="PAID")` is the second change of item A."""

    def make(number: int, event_name: str = "INSERT", **item: str) -> Any:
        images = {name: {"S": text} for name, text in item.items()}
        record = make_record(number, event_name, keys={"pk": {"S": "A"}}, new=images)
        return parse({"Records": [record]})[0]

    return make


def test_a_change_becomes_a_put_that_only_an_older_item_lets_through(change: Any) -> None:
    number = "000000000000000000" + "3800002862244222465265"

    assert guarded_put(change(2, status="PAID")) == {
        "Item": {"pk": "A", "status": "PAID", "_stream_sequence": number},
        "ConditionExpression": "attribute_not_exists(#sequence) OR #sequence < :sequence",
        "ExpressionAttributeNames": {"#sequence": "_stream_sequence"},
        "ExpressionAttributeValues": {":sequence": number},
    }


def test_a_delete_leaves_a_tombstone_that_outlives_every_redrive(change: Any) -> None:
    tombstone = guarded_delete(change(2, "REMOVE"))["Item"]

    assert is_tombstone(tombstone)
    assert tombstone["pk"] == "A"
    # Counted from the change itself, so that a redrive of it asks for the very same write.
    assert tombstone[EXPIRES_AT] == CREATED_S + FIFTEEN_DAYS_S


def test_a_projection_has_an_item_and_a_key_of_its_own(change: Any) -> None:
    table = MemoryTable("id")
    placed, removed = change(1), change(2, "REMOVE")

    write_once(table, placed, {"id": "order-A", "total": Decimal("12.5")})
    assert table.live() == [{"id": "order-A", "total": Decimal("12.5")}]

    write_once(table, removed, keys={"id": "order-A"})
    assert table.live() == []


def test_an_item_can_leave_a_projection_without_leaving_its_table(change: Any) -> None:
    table = MemoryTable("pk")
    placed, cancelled = change(1, status="PLACED"), change(2, "MODIFY", status="CANCELLED")

    write_once(table, cancelled, deleted=True)
    assert write_once(table, placed) is False
    assert table.live() == []


def test_a_duplicate_is_not_applied_again(change: Any) -> None:
    table = MemoryTable("pk")

    assert write_once(table, change(1, status="PLACED")) is True
    assert write_once(table, change(1, status="PLACED")) is False


def test_a_late_redrive_does_not_bring_an_old_state_back(change: Any) -> None:
    table = MemoryTable("pk")
    placed, paid = change(1, status="PLACED"), change(2, "MODIFY", status="PAID")

    write_once(table, paid)
    assert write_once(table, placed) is False
    assert table.live() == [{"pk": "A", "status": "PAID"}]


def test_a_late_insert_does_not_bring_a_deleted_item_back(change: Any) -> None:
    table = MemoryTable("pk")

    write_once(table, change(2, "REMOVE"))
    assert write_once(table, change(1, status="PLACED")) is False
    assert table.live() == []

    assert write_once(table, change(3, status="PLACED AGAIN")) is True
    assert table.live() == [{"pk": "A", "status": "PLACED AGAIN"}]


def test_an_item_written_before_the_guard_was_is_replaced(change: Any) -> None:
    table = MemoryTable("pk")
    table.put_item(Item={"pk": "A", "status": "from a backfill"})

    assert write_once(table, change(1, status="PLACED")) is True


def test_a_tombstone_goes_when_it_has_expired(change: Any) -> None:
    table = MemoryTable("pk")
    write_once(table, change(1, "REMOVE"))

    table.expire(CREATED_S + FIFTEEN_DAYS_S)
    assert len(table.items) == 1
    table.expire(CREATED_S + FIFTEEN_DAYS_S + 1)
    assert table.items == {}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("9", "10"),
        ("999999999999999999999", "1000000000000000000000"),  # 21 and 22 digits
        ("000000003800002862244222465264", "3800002862244222465265"),
        # 40 digits, two more than a DynamoDB number may have.
        ("1000000000000000000000000000000000000000", "1000000000000000000000000000000000000001"),
    ],
)
def test_sequence_numbers_compare_as_numbers_although_they_are_stored_as_text(
    older: str, newer: str
) -> None:
    assert padded(older) < padded(newer)
    assert len(padded(older)) == len(padded(newer)) == 40


@pytest.mark.parametrize("number", ["", "abc", "-1", "1" * 41, "1.5", "\uff13"])
def test_what_is_no_sequence_number_guards_nothing(number: str) -> None:
    with pytest.raises(GuardError, match="a sequence number has 1 to 40 digits"):
        padded(number)


def test_a_change_without_a_new_image_cannot_be_copied(change: Any) -> None:
    with pytest.raises(MissingImageError):
        guarded_put(change(1, "REMOVE"))


def test_an_error_that_is_no_failed_condition_is_raised(change: Any) -> None:
    class Throttled(Exception):  # noqa: N818 - stands in for botocore's ClientError
        response = {"Error": {"Code": "ProvisionedThroughputExceededException"}}  # noqa: RUF012 - a constant

    class Table:
        def put_item(self, **_request: Any) -> Any:
            raise Throttled

    with pytest.raises(Throttled):
        write_once(Table(), change(1))


def test_boto3_can_send_every_guarded_write(make_record: Any) -> None:
    new = {
        "n": {"N": "12.50"},
        "b": {"B": "AAEC"},
        "ss": {"SS": ["a", "b"]},
        "bs": {"BS": ["AAEC"]},
        "l": {"L": [{"M": {"x": {"NULL": True}}}, {"BOOL": False}]},
    }
    (change,) = parse({"Records": [make_record(1, new=new)]})
    to_dynamodb, from_dynamodb = TypeSerializer(), TypeDeserializer()

    for request in (guarded_put(change), guarded_delete(change)):
        item = request["Item"]
        sent = {name: to_dynamodb.serialize(value) for name, value in item.items()}
        back = {name: from_dynamodb.deserialize(value) for name, value in sent.items()}
        assert back == item


def test_the_table_in_memory_knows_no_condition_but_the_guards() -> None:
    table = MemoryTable("pk")
    request: dict[str, Any] = {
        "Item": {"pk": "A"},
        "ConditionExpression": "#n > :v",
        "ExpressionAttributeNames": {"#n": SEQUENCE},
        "ExpressionAttributeValues": {":v": "1"},
    }
    with pytest.raises(NotImplementedError, match="got the condition '#n > :v'"):
        table.put_item(**request)


@pytest.mark.parametrize("numbers", ["decimal", "int", "float"])
def test_a_guarded_write_takes_exact_numbers_whatever_the_policy(
    numbers: Any, make_record: Any
) -> None:
    keys = {"pk": {"N": "0.1"}}
    record = make_record(1, keys=keys, new={"total": {"N": "12.345678901234567890"}})
    (change,) = parse({"Records": [record]}, numbers=numbers)

    put = guarded_put(change)["Item"]
    assert (put["pk"], put["total"]) == (Decimal("0.1"), Decimal("12.345678901234567890"))
    assert guarded_delete(change)["Item"]["pk"] == Decimal("0.1")
    assert all(isinstance(put[name], Decimal) for name in ("pk", "total"))


class Thing:
    """A value that DynamoDB has no type for."""


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.5, "got a float"),
        (set(), "the set is empty"),
        ({"a", 1}, "the set mixes"),
        (datetime(2026, 1, 1, tzinfo=UTC), "cannot encode a datetime"),
        (Thing(), "cannot encode a Thing"),
        ({"deep": [1.5]}, "got a float"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_a_memory_table_refuses_what_dynamodb_cannot_hold(value: Any, why: str) -> None:
    table = MemoryTable("pk")
    with pytest.raises(AttributeValueError, match=why):
        table.put_item(Item={"pk": "A", "value": value})
    assert table.items == {}


def test_a_memory_table_refuses_an_item_over_400_kb_as_dynamodb_does() -> None:
    table = MemoryTable("pk")
    text = "x" * (400 * 1024 - len("pk") - len("A") - len("text"))
    table.put_item(Item={"pk": "A", "text": text})

    with pytest.raises(ItemRefused, match="Item size has exceeded the maximum") as caught:
        table.put_item(Item={"pk": "A", "text": text + "x"})
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("é", 2),
        (b"abc", 3),
        (True, 1),
        (None, 1),
        (Decimal(-123), 4),
        (7, 2),
        ({"a": "b"}, 3 + 2 + 1),
        (["ab", "c"], 3 + 3 + 2),
        ({"ab", "c"}, 3),
    ],
)
def test_the_size_of_an_item_is_that_of_its_names_and_values(value: Any, size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


def test_an_item_of_400_kb_has_no_room_for_the_guard_and_the_error_says_so(
    change: Any,
) -> None:
    largest = {"pk": "A", "text": "x" * (400 * 1024 - len("pk") - len("A") - len("text") - 56)}
    table = MemoryTable("pk")
    assert write_once(table, change(1), largest)

    with pytest.raises(ItemRefused) as caught:
        write_once(table, change(2), {**largest, "text": largest["text"] + "x"})
    assert "_stream_sequence takes 56 bytes of the item's 400 KB" in caught.value.__notes__[0]
