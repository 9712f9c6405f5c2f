"""What cannot work is refused when it is written, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.errors import FilterError
from cdk_streams.filters import (
    EACH,
    ApproximateCreationDateTime,
    Filter,
    Keys,
    NewImage,
    OldImage,
    SizeBytes,
)


def untyped(value: object) -> Any:
    """A value that a type checker would have refused."""
    return value


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "an order of numbers": (lambda: NewImage("n").gt(1), "list the values with is_in"),
    "at least": (lambda: NewImage("n").gte(1), "compare in the handler"),
    "less": (lambda: NewImage("n").lt(1), "compare in the handler"),
    "at most": (lambda: NewImage("n").lte(1), "compare in the handler"),
    "between": (lambda: NewImage("n").between(1, 2), r"between\(1, 2\) on NewImage"),
    "a float": (lambda: NewImage("n").eq(untyped(1.5)), r"write Decimal\('12.5'\), got float"),
    "a set": (lambda: NewImage("n").eq(untyped({"a"})), r"contains\(member, ...\), got set"),
    "a list": (lambda: NewImage("n").eq(untyped(["a"])), "only the members.* got list"),
    "a dict": (lambda: NewImage("n").ne(untyped({"a": 1})), "only the members.* got dict"),
    "another object": (lambda: NewImage("n").eq(untyped(object())), "got object"),
    "39 digits": (lambda: NewImage("n").eq(10**39 + 1), "at most 38 digits"),
    "a number too large": (lambda: NewImage("n").eq(Decimal("1E+126")), "9.9E[+]125"),
    "a number too small": (lambda: NewImage("n").eq(Decimal("1E-131")), "1E-130"),
    "no number": (lambda: NewImage("n").eq(Decimal("NaN")), "at most 38 digits"),
    "no values": (lambda: NewImage("n").is_in([]), "is_in needs at least one value"),
    "no denied values": (lambda: NewImage("n").ne(), "ne needs at least one value"),
    "no members": (lambda: NewImage("n").contains(), "contains needs at least one value"),
    "a text in place of a list": (lambda: NewImage("n").is_in("PAID"), r"write \['PAID'\]"),
    "a number's beginning": (lambda: NewImage("n").begins_with(untyped(1)), "compares texts"),
    "a number's end": (lambda: NewImage("n").ends_with(untyped(1)), "got int; use eq"),
    "four bytes": (lambda: NewImage("n").begins_with(b"1234"), "multiples of 3"),
    "the case of an emoji": (lambda: NewImage("n").equals_ignore_case("😀"), "beyond U[+]FFFF"),
    "an empty prefix denied": (
        lambda: Filter.insert(NewImage("n").not_begins_with("")),
        "empty prefix",
    ),
    "existence of a map": (lambda: NewImage("n").exists("M"), "name a member"),
    "existence of a list": (lambda: NewImage("n").not_exists("L"), "name a member"),
    "and": (
        lambda: NewImage("a").eq("x") and NewImage("b").eq("y"),
        r"write a & b for both, a \| b for either",
    ),
    "or": (lambda: NewImage("a").eq("x") or NewImage("b").eq("y"), "only one of them"),
    "not": (lambda: not NewImage("a").eq("x"), "not_begins_with"),
    "an equals sign": (
        lambda: Filter.insert(untyped(NewImage("a") == untyped("x"))),
        r"got False; write NewImage\('status'\)\.eq\('PAID'\) in place of ==",
    ),
    "a text in place of a condition": (
        lambda: Filter.modify(untyped("status = 'PAID'")),
        "a condition is made by a verb.*got \"status = 'PAID'\"",
    ),
    "an attribute without a verb": (
        lambda: Filter.any_event(untyped(NewImage("a"))),
        r"NewImage\('a'\) has no verb; write NewImage\('a'\)\.eq\(value\)",
    ),
    "a joined text": (
        lambda: NewImage("a").eq("x") & untyped("b"),
        "a condition is made by a verb",
    ),
    "an expired text": (lambda: Filter.expired(untyped("a")), "a condition is made by a verb"),
    "a dotted path with type letters": (
        lambda: NewImage("address.M.city").eq("Ulm"),
        r"write NewImage\('address', 'city'\)",
    ),
    "a dotted path that ends in one": (
        lambda: OldImage("status.S").eq("PAID"),
        r"write OldImage\('status'\)",
    ),
    "a dotted path without a name": (
        lambda: NewImage("address..city").eq("Ulm"),
        r"write NewImage\('address', 'city'\)",
    ),
    "a dotted name of what is a map beside it": (
        lambda: Filter.insert(
            NewImage("address", "zip").eq("1"), NewImage("address.city").eq("Ulm")
        ),
        r"write NewImage\('address', 'city'\)",
    ),
    "no attribute": (NewImage, "needs the name of an attribute"),
    "each of nothing": (lambda: NewImage(EACH), "needs the name of an attribute"),
    "an index": (lambda: NewImage("list", untyped(0)), "EACH stands for some element"),
    "an empty name": (lambda: NewImage(""), "made of names and EACH"),
    "a name that Lambda reads otherwise": (lambda: NewImage("$or"), "made of names and EACH"),
    "a member of a key": (lambda: Keys("pk", "x"), "a key attribute has no members"),
    "a key that is true": (lambda: Keys("pk").eq(True), "never of type BOOL"),
    "a key that is a set": (lambda: Keys("pk").contains("x"), "never of type SS"),
    "a size that is text": (lambda: SizeBytes.eq(untyped("1")), "is a number, got str"),
    "a size that is true": (lambda: SizeBytes.eq(True), "is a number, got bool"),
    "a size that is a moment": (lambda: SizeBytes.eq(datetime.now().astimezone()), "with bytes"),
    "a moment without a zone": (
        lambda: ApproximateCreationDateTime.gt(datetime(2026, 1, 1)),  # noqa: DTZ001 - the fault
        "time zone",
    ),
    "a size with too many digits": (lambda: SizeBytes.eq(12345678901234567890), "more digits"),
    "a range of one size": (
        lambda: Filter.any_event(SizeBytes.between(5, 5)),
        "lower bound must be less",
    ),
    "two conditions on one attribute": (
        lambda: Filter.insert(NewImage("a").begins_with("x"), NewImage("a").ends_with("y")),
        "two conditions test dynamodb.NewImage.a.S",
    ),
    "an attribute beside and inside an or": (
        lambda: Filter.insert(NewImage("a").ne("x"), NewImage("a").eq("y") | NewImage("b").eq(1)),
        "two conditions test dynamodb.NewImage.a.S",
    ),
    "an attribute in two ors": (
        lambda: Filter.insert(
            NewImage("a").eq("x") | NewImage("b").eq("x"),
            NewImage("a").eq("y") | NewImage("c").eq("y"),
        ),
        "two conditions test dynamodb.NewImage.a.S",
    ),
    "an operator's name in an or": (
        lambda: Filter.insert(NewImage("prefix").eq("x") | NewImage("b").eq("x")),
        "one filter for each branch",
    ),
    "an old image of an insert": (
        lambda: Filter.insert(OldImage("a").eq("x")),
        "INSERT records have no OldImage; test NewImage",
    ),
    "a new image of a remove": (
        lambda: Filter.remove(Keys("a").exists() | NewImage("a").eq("x")),
        "REMOVE records have no NewImage; test OldImage",
    ),
    "a new image of an expiry": (lambda: Filter.expired(NewImage("a").ne("x")), "no NewImage"),
    "nothing at all": (Filter.any_event, "filters nothing; omit it"),
    "a broken pattern": (lambda: Filter("{"), "must be JSON"),
}


@pytest.mark.parametrize(("build", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_work_is_refused(build: Callable[[], object], why: str) -> None:
    with pytest.raises(FilterError, match=why):
        build()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (-0, "0"), (Decimal("-0.00"), "0"), (7, "7"), (-1200, "-1200"),
        (Decimal("12.50"), "12.5"), (Decimal("1.5E2"), "150"), (Decimal("0.0010"), "0.001"),
        (Decimal("1E+3"), "1000"), (Decimal("1E-130"), "0." + "0" * 129 + "1"),
        (10**100, "1" + "0" * 100), (Decimal("9" * 38), "9" * 38),
    ],
    ids=str,
)  # fmt: skip
def test_a_number_is_written_as_dynamodb_keeps_it(number: int | Decimal, text: str) -> None:
    assert f'{{"N":["{text}"]}}' in Filter.insert(NewImage("n").eq(number)).text


@pytest.mark.parametrize(
    ("view_type", "lacking"),
    [
        ("KEYS_ONLY", {"NewImage", "OldImage"}),
        ("NEW_IMAGE", {"OldImage"}),
        ("OLD_IMAGE", {"NewImage"}),
        ("NEW_AND_OLD_IMAGES", set()),
    ],
)
def test_an_image_that_the_stream_lacks_is_refused(view_type: str, lacking: set[str]) -> None:
    for image in (Keys, NewImage, OldImage):
        built = Filter.modify(Keys("pk").exists("S") | image("a").ne("x"))
        if image.name in lacking:
            with pytest.raises(FilterError, match=f"{view_type} .* no {image.name}"):
                built.check(view_type)
        else:
            built.check(view_type)


def test_an_unknown_view_type_is_refused() -> None:
    with pytest.raises(FilterError, match=r"one of KEYS_ONLY, NEW_IMAGE, .* got 'NEW'"):
        Filter.insert().check("NEW")


ATTRIBUTE = '{{"dynamodb":{{"NewImage":{{"a":{}}}}}}}'
INEFFECTIVE = {
    "an unknown event": ('{"eventName":["INSERT","INSRT"]}', "$.eventName", "INSERT, MODIFY"),
    "an event that is no text": ('{"eventName":[1]}', "$.eventName", "the number 1"),
    "an unknown field": ('{"eventname":["INSERT"]}', "$.eventname", "no record has 'eventname'"),
    "an unknown image": (
        '{"dynamodb":{"newImage":{"a":{"S":["x"]}}}}',
        "$.dynamodb.newImage.a.S",
        "no record has 'newImage'",
    ),
    "dynamodb itself": ('{"dynamodb":[{"exists":true}]}', "$.dynamodb", "the names are Keys"),
    "no type letter": (ATTRIBUTE.format('["x"]'), "$.dynamodb.NewImage.a", "type letter"),
    "exists on an attribute": (
        ATTRIBUTE.format('[{"exists":false}]'),
        "$.dynamodb.NewImage.a",
        "only an object",
    ),
    "exists on an image": (
        '{"dynamodb":{"OldImage":[{"exists":true}]}}',
        "$.dynamodb.OldImage",
        "only an object",
    ),
    "exists on a map": (
        ATTRIBUTE.format('{"M":[{"exists":true}]}'),
        "$.dynamodb.NewImage.a.M",
        "only an object",
    ),
    "an unknown letter": (
        ATTRIBUTE.format('{"X":["x"]}'),
        "$.dynamodb.NewImage.a.X",
        "'X' is no type letter",
    ),
    "below a value": (
        ATTRIBUTE.format('{"S":{"x":["y"]}}'),
        "$.dynamodb.NewImage.a.S.x",
        "nothing below the type S",
    ),
    "a number of type N": (
        ATTRIBUTE.format('{"N":[300]}'),
        "$.dynamodb.NewImage.a.N[0]",
        "write the number as text",
    ),
    "a range of type N": (
        ATTRIBUTE.format('{"N":[{"numeric":[">",100]}]}'),
        "$.dynamodb.NewImage.a.N[0]",
        "lies in no range",
    ),
    "anything but a number of type N": (
        ATTRIBUTE.format('{"N":[{"anything-but":[100]}]}'),
        "$.dynamodb.NewImage.a.N[0]",
        "write the number as text",
    ),
    "text of type BOOL": (
        ATTRIBUTE.format('{"BOOL":["true"]}'),
        "$.dynamodb.NewImage.a.BOOL[0]",
        "is true or false",
    ),
    "null of type NULL": (
        ATTRIBUTE.format('{"NULL":[null]}'),
        "$.dynamodb.NewImage.a.NULL[0]",
        "is true or false, got null",
    ),
    "true of type S": (
        ATTRIBUTE.format('{"S":[true]}'),
        "$.dynamodb.NewImage.a.S[0]",
        "is text, got true",
    ),
    "an ineffective test in a branch": (
        '{"$or":[{"eventName":["INSERT"]},{"eventName":["DELETE"]}]}',
        "$.$or[1].eventName",
        '"DELETE"',
    ),
}


@pytest.mark.parametrize(("pattern", "where", "why"), INEFFECTIVE.values(), ids=INEFFECTIVE.keys())
def test_a_pattern_that_lambda_takes_and_never_decides(pattern: str, where: str, why: str) -> None:
    with pytest.raises(FilterError) as raised:
        Filter.pattern(pattern)
    assert raised.value.where == where
    assert why in raised.value.why
    assert Filter.pattern(pattern, validate=False).text == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        ATTRIBUTE.format('{"L":{"M":{"b":{"L":{"N":["1"]}}}}}'),
        ATTRIBUTE.format('{"BOOL":[true,{"exists":false}]}'),
        ATTRIBUTE.format('{"SS":["x",{"anything-but":"y"}]}'),
        '{"dynamodb":{"SizeBytes":[{"numeric":[">",1]}]},"userIdentity":{"type":["Service"]}}',
        '{"dynamodb.NewImage.a":{"N":["1"]}}',
        '{"eventName":[{"anything-but":["REMOVE"]}]}',
    ],
)
def test_a_pattern_that_can_decide_is_taken(pattern: str) -> None:
    assert Filter.pattern(pattern).text == pattern
