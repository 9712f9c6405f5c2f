"""Faults that other decoders have, one test each: none of them is ours.

Faults of batch handling (going on after a failure, an argument that has to be called `record`, an
empty batch that raises) stand with the router's tests.
"""

from __future__ import annotations

import decimal
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lambda_runtime import (
    ABSENT,
    Insert,
    MissingImageError,
    Modify,
    Remove,
    decode,
    encode,
    parse,
    to_json,
)

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/stream/2026-09-17T14:11:11.040"


def change_of(event_name: str, **stream: Any) -> Insert | Modify | Remove:
    record = {"eventName": event_name, "eventSource": "aws:dynamodb", "dynamodb": stream}
    (change,) = parse({"Records": [record | {"eventSourceARN": ARN}]})
    return change


def test_binary_is_not_left_as_base64_text() -> None:
    assert decode({"B": "aGVsbG8="}) == b"hello"
    assert decode({"BS": ["aGVsbG8="]}) == {b"hello"}


def test_base64_text_of_a_lambda_event_is_no_type_error() -> None:
    event = json.loads('{"M": {"b": {"B": "/+8="}, "s": {"BS": ["AA==", ""]}}}')

    assert decode(event) == {"b": b"\xff\xef", "s": frozenset({b"\x00", b""})}


def test_a_number_of_38_digits_is_not_cut_to_37() -> None:
    text = "12345678901234567890123456789012345678"

    assert str(decode({"N": text})) == text


def test_a_number_is_not_rounded_by_a_short_decimal_context() -> None:
    with decimal.localcontext(decimal.Context(prec=5)):
        assert str(decode({"N": "1234567.89"})) == "1234567.89"


def test_a_price_does_not_lose_its_cents_to_a_float() -> None:
    assert str(decode({"N": "1.10"})) == "1.10"


def test_a_set_of_numbers_does_not_become_text() -> None:
    assert decode({"NS": ["1", "2"]}) == {Decimal(1), Decimal(2)}


def test_a_list_of_one_map_with_a_type_for_a_name_stays_what_it_is() -> None:
    # An item whose only attribute is called `S` is no string.
    assert decode({"M": {"S": {"N": "1"}}}) == {"S": Decimal(1)}
    change = change_of("INSERT", NewImage={"S": {"S": "x"}})
    assert change.new == {"S": "x"}


def test_an_unknown_type_is_not_none_and_not_skipped() -> None:
    with pytest.raises(ValueError, match="unknown attribute type 'DATE'"):
        decode({"DATE": "2026-01-01"})


def test_an_absent_image_is_not_an_empty_one() -> None:
    change = change_of("MODIFY", Keys={"pk": {"S": "a"}}, StreamViewType="KEYS_ONLY")

    with pytest.raises(MissingImageError):
        _ = change.new
    assert change_of("MODIFY", NewImage={}).new == {}


def test_reading_twice_gives_the_same_object_and_decodes_once() -> None:
    change = change_of("INSERT", NewImage={"tags": {"L": [{"S": "x"}]}})

    assert change.new is change.new
    assert change.new["tags"] is change.new["tags"]


def test_the_time_keeps_its_fraction_and_has_a_zone() -> None:
    change = change_of("INSERT", ApproximateCreationDateTime=1789654328.987)

    assert change.created_at == datetime(2026, 9, 17, 14, 12, 8, 987000, tzinfo=UTC)


def test_milliseconds_are_not_read_as_seconds() -> None:
    change = change_of("INSERT", ApproximateCreationDateTime=1789654328987)

    assert change.created_at == datetime(2026, 9, 17, 14, 12, 8, 987000, tzinfo=UTC)


def test_a_time_to_live_delete_is_told_from_a_request() -> None:
    record = {"eventName": "REMOVE", "eventSource": "aws:dynamodb", "dynamodb": {}}
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    expired, deleted = parse({"Records": [record | {"userIdentity": identity}, record]})

    assert isinstance(expired, Remove)
    assert isinstance(deleted, Remove)
    assert expired.expired
    assert not deleted.expired


def test_a_handler_need_not_take_the_arn_apart() -> None:
    source = change_of("INSERT").source

    assert (source.table, source.region, source.label) == (
        "Orders",
        "eu-west-1",
        "2026-09-17T14:11:11.040",
    )


def test_what_changed_is_known_without_comparing_by_hand() -> None:
    change = change_of(
        "MODIFY",
        OldImage={"same": {"S": "x"}, "n": {"N": "1"}},
        NewImage={"same": {"S": "x"}, "n": {"N": "2"}, "more": {"NULL": True}},
    )

    assert isinstance(change, Modify)
    assert change.changes() == {"n": (Decimal(1), Decimal(2)), "more": (ABSENT, None)}


def test_true_is_not_one() -> None:
    change = change_of("MODIFY", OldImage={"a": {"N": "1"}}, NewImage={"a": {"BOOL": True}})

    assert isinstance(change, Modify)
    assert change.changed("a")


def test_decoded_values_have_a_json_form() -> None:
    value = decode({"M": {"n": {"N": "1.10"}, "b": {"B": "aGk="}, "s": {"SS": ["b", "a"]}}})

    assert to_json(value) == '{"n":1.10,"b":"aGk=","s":["a","b"]}'


def test_bytes_for_a_boto3_client_are_not_encoded_twice() -> None:
    assert encode(b"hi", binary="bytes") == {"B": b"hi"}


def test_an_empty_batch_gives_no_changes() -> None:
    assert parse({"Records": []}) == []
