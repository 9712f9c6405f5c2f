"""What each verb means: the records that a built filter passes on, and those that it does not."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.filters import (
    EACH,
    ApproximateCreationDateTime,
    Condition,
    Filter,
    Keys,
    NewImage,
    OldImage,
    SizeBytes,
)

LINES = {"L": [
    {"M": {"sku": {"S": "A"}, "count": {"N": "1"}}},
    {"M": {"sku": {"S": "B"}, "count": {"N": "2"}}},
]}  # fmt: skip
ITEM: dict[str, Any] = {
    "status": {"S": "Paid"},
    "total": {"N": "12.5"},
    "blob": {"B": "Zm9vYmFy"},
    "live": {"BOOL": True},
    "note": {"NULL": True},
    "tags": {"SS": ["red", "blue"]},
    "sizes": {"NS": ["1", "2.5"]},
    "list": {"L": [{"S": "x"}, {"N": "7"}, {"BOOL": False}]},
    "address": {"M": {"city": {"S": "Bern"}, "zip": {"N": "3000"}}},
    "lines": LINES,
}
RECORD: dict[str, Any] = {
    "eventName": "MODIFY",
    "dynamodb": {
        "ApproximateCreationDateTime": 1767225600.0,
        "Keys": {"pk": {"S": "ORDER#1"}, "sk": {"N": "1"}},
        "NewImage": ITEM,
        "OldImage": ITEM | {"status": {"S": "Open"}},
        "SizeBytes": 61,
    },
}

CONDITIONS: dict[str, tuple[Condition, bool]] = {
    "eq is the value": (NewImage("status").eq("Paid"), True),
    "eq minds the case": (NewImage("status").eq("PAID"), False),
    "eq minds the type": (NewImage("total").eq("12.5"), False),
    "eq takes a number however it is written": (NewImage("total").eq(Decimal("12.500")), True),
    "eq takes bytes": (NewImage("blob").eq(b"foobar"), True),
    "eq takes true": (NewImage("live").eq(True), True),
    "eq tells true from false": (NewImage("live").eq(False), False),
    "eq takes None for NULL": (NewImage("note").eq(None), True),
    "eq None is not a missing attribute": (NewImage("nothing").eq(None), False),
    "eq reaches into a map": (NewImage("address", "city").eq("Bern"), True),
    "eq reaches into a list of maps": (NewImage("lines", EACH, "count").eq(2), True),
    "eq reaches into a list": (NewImage("list", EACH).eq(7), True),
    "is_in is one of the values": (NewImage("status").is_in(["Open", "Paid"]), True),
    "is_in mixes types": (NewImage("total").is_in(["12.5", Decimal("12.5")]), True),
    "ne denies the value": (NewImage("status").ne("Paid"), False),
    "ne denies each value": (NewImage("status").ne("Open", "Paid"), False),
    "ne holds for another value": (NewImage("status").ne("Open"), True),
    "ne holds for another type": (NewImage("total").ne("12.5"), True),
    "ne holds for a missing attribute": (NewImage("nothing").ne("x"), True),
    "ne can ask for a value": (NewImage("nothing").ne("x", or_absent=False), False),
    "ne denies values of several types": (NewImage("total").ne("x", Decimal("12.5")), False),
    "ne of several types asks for a value of one": (
        NewImage("total").ne("x", 7, or_absent=False),
        True,
    ),
    "ne denies true": (NewImage("live").ne(True), False),
    "ne denies NULL": (NewImage("note").ne(None), False),
    "ne None holds for a value": (NewImage("status").ne(None), True),
    "begins_with": (Keys("pk").begins_with("ORDER#"), True),
    "begins_with one of several": (Keys("pk").begins_with("ITEM#", "ORDER#"), True),
    "begins_with fails": (Keys("pk").begins_with("order#"), False),
    "begins_with bytes": (NewImage("blob").begins_with(b"foo"), True),
    "not_begins_with": (NewImage("status").not_begins_with("Pa"), False),
    "not_begins_with holds for the missing": (NewImage("nothing").not_begins_with("Pa"), True),
    "ends_with": (NewImage("status").ends_with("id"), True),
    "not_ends_with": (NewImage("status").not_ends_with("id", "en"), False),
    "equals_ignore_case": (NewImage("status").equals_ignore_case("PAID"), True),
    "not_equals_ignore_case": (NewImage("status").not_equals_ignore_case("PAID"), False),
    "exists by type": (NewImage("total").exists("N"), True),
    "exists with another type": (NewImage("total").exists("S"), False),
    "exists with any type": (NewImage("note").exists(), True),
    "exists with a set": (NewImage("tags").exists(), True),
    "exists for a key": (Keys("sk").exists(), True),
    "exists fails for the missing": (NewImage("nothing").exists(), False),
    "exists cannot see a map": (NewImage("address").exists(), False),
    "exists sees the member of a map": (NewImage("address", "city").exists(), True),
    "not_exists holds for the missing": (NewImage("nothing").not_exists(), True),
    "not_exists with a type": (NewImage("total").not_exists("N"), False),
    "not_exists of another type": (NewImage("total").not_exists("S"), True),
    "contains a member of a set": (NewImage("tags").contains("red"), True),
    "contains a number of a set": (NewImage("sizes").contains(Decimal("2.50")), True),
    "contains an element of a list": (NewImage("list").contains("x"), True),
    "contains false": (NewImage("list").contains(False), True),
    "contains one of several": (NewImage("tags").contains("green", "blue"), True),
    "contains no part of a text": (NewImage("status").contains("ai"), False),
    "two conditions on one element": (
        NewImage("lines", EACH, "sku").eq("B") & NewImage("lines", EACH, "count").eq(2),
        True,
    ),
    "two conditions on two elements": (
        NewImage("lines", EACH, "sku").eq("A") & NewImage("lines", EACH, "count").eq(2),
        False,
    ),
    "size is a number": (SizeBytes.eq(61), True),
    "size is less": (SizeBytes.lt(62), True),
    "size is at most": (SizeBytes.lte(60), False),
    "size is greater": (SizeBytes.gt(61), False),
    "size is at least": (SizeBytes.gte(61), True),
    "size lies between, ends included": (SizeBytes.between(61, 70), True),
    "size differs": (SizeBytes.ne(61, 62), False),
    "time is compared with a moment": (
        ApproximateCreationDateTime.gte(datetime(2026, 1, 1, tzinfo=UTC)),
        True,
    ),
    "time is compared with seconds": (ApproximateCreationDateTime.lt(1767225600), False),
    "and": (NewImage("status").eq("Paid") & OldImage("status").eq("Paid"), False),
    "or": (NewImage("status").eq("Open") | OldImage("status").eq("Open"), True),
    "or of ands": (
        (NewImage("status").eq("Open") & NewImage("live").eq(True))
        | (OldImage("status").eq("Open") & SizeBytes.gt(0)),
        True,
    ),
    "and of ors in one place": (
        (NewImage("status").eq("Paid") | NewImage("total").eq(1))
        & (NewImage("live").eq(False) | NewImage("note").eq(None)),
        True,
    ),
    "and of ors in one place of which the first fails": (
        (NewImage("status").eq("Open") | NewImage("total").eq(1))
        & (NewImage("live").eq(True) | NewImage("note").eq(1)),
        False,
    ),
    "and of ors in one place of which the last fails": (
        (NewImage("status").eq("Paid") | NewImage("total").eq(1))
        & (NewImage("live").eq(False) | NewImage("note").eq(1)),
        False,
    ),
    "and of ors in two places": (
        NewImage("status").exists() & NewImage("total").exists() & OldImage("live").exists(),
        True,
    ),
    "and of an or with itself": (
        (NewImage("status").eq("Paid") | NewImage("total").eq(1))
        & (NewImage("status").eq("Paid") | NewImage("total").eq(1)),
        True,
    ),
}


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS.values(), ids=CONDITIONS.keys())
def test_a_condition(condition: Condition, expected: bool) -> None:
    assert Filter.any_event(condition).matches(RECORD) is expected
    assert Filter.modify(condition).matches(RECORD) is expected
    assert not Filter.any_event(condition, NewImage("never").exists("S")).matches(RECORD)


@pytest.mark.parametrize(
    ("built", "names"),
    [
        (Filter.insert(), {"INSERT"}),
        (Filter.modify(), {"MODIFY"}),
        (Filter.remove(), {"REMOVE", "TTL"}),
        (Filter.remove(expired=True), {"TTL"}),
        (Filter.expired(), {"TTL"}),
        (Filter.remove(expired=False), {"REMOVE"}),
        (Filter.any_event(expired=False), {"INSERT", "MODIFY", "REMOVE"}),
        (Filter.any_event(expired=True), {"TTL"}),
        (Filter.any_event(Keys("pk").exists()), {"INSERT", "MODIFY", "REMOVE", "TTL"}),
    ],
    ids=lambda value: getattr(value, "text", None),
)
def test_the_events_of_a_filter(built: Filter, names: set[str]) -> None:
    ttl = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    keys = {"dynamodb": {"Keys": {"pk": {"S": "1"}}}}
    records: dict[str, dict[str, Any]] = {
        name: {"eventName": name, **keys} for name in ("INSERT", "MODIFY", "REMOVE")
    }
    records["TTL"] = {"eventName": "REMOVE", "userIdentity": ttl, **keys}
    assert {name for name, record in records.items() if built.matches(record)} == names


def test_a_transition_counts_an_attribute_that_was_missing() -> None:
    became_paid = Filter.modify(OldImage("status").ne("PAID"), NewImage("status").eq("PAID"))

    def modified(**images: dict[str, Any]) -> dict[str, Any]:
        return {"eventName": "MODIFY", "dynamodb": images}

    paid, unpaid = {"status": {"S": "PAID"}}, {"status": {"S": "OPEN"}}
    assert became_paid.matches(modified(OldImage=unpaid, NewImage=paid))
    assert became_paid.matches(modified(OldImage={}, NewImage=paid))
    assert not became_paid.matches(modified(OldImage=paid, NewImage=paid))


def test_a_filter_is_a_value() -> None:
    built = Filter.insert(NewImage("a").eq("x"))

    assert built == Filter.insert(NewImage("a").eq("x"))
    assert len({built, Filter(built.text)}) == 1
    assert pickle.loads(pickle.dumps(built)) == built  # noqa: S301 - our own bytes
    assert copy.deepcopy(built) == built
    with pytest.raises(FrozenInstanceError):
        built.text = "{}"  # type: ignore[misc]  # the rule under test


def test_a_pattern_is_kept_as_it_is_written() -> None:
    text = '{ "eventName": ["INSERT"],\n  "dynamodb": {"Keys": {"pk": {"S": ["é"]}}} }'
    assert Filter.pattern(text).text == text
    assert Filter.pattern({"eventName": ["INSERT"]}).text == '{"eventName":["INSERT"]}'
