"""What a filter cannot do is refused at synthesis, with what to write instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_dynamodb as dynamodb

from cdk_streams import (
    Filter,
    FilterError,
    NewImage,
    SettingsError,
    StreamConsumer,
    StreamFunction,
    StreamTable,
)

Consume = Callable[..., StreamConsumer]


@pytest.fixture
def consume(stack: cdk.Stack, handler_file: Path) -> Consume:
    """Make a consumer with these filters, of a stream with that view type."""

    def make(*filters: Any, view_type: str = "NEW_AND_OLD_IMAGES") -> StreamConsumer:
        table = StreamTable(
            stack,
            "Orders",
            partition_key={"name": "id", "type": dynamodb.AttributeType.STRING},
            stream_view_type=dynamodb.StreamViewType(view_type),
        )
        function = StreamFunction(stack, "Function", entry=handler_file)
        return StreamConsumer(stack, "Audit", table=table, function=function, filters=filters)

    return make


def image(**attributes: Any) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": attributes}}


NEVER = [
    (
        image(price={"N": [{"numeric": [">", 100]}]}),
        "$.dynamodb.NewImage.price.N[0]",
        (
            "a value of type N is text, so it equals no number and lies in no range; "
            'write the number as text, as in {"N": ["12.5"]}, and compare in the handler'
        ),
    ),
    (
        image(address={"M": [{"exists": True}]}),
        "$.dynamodb.NewImage.address.M",
        (
            "Lambda sees no value here, only an object: exists is never true and always false; "
            'go on to the type letter of a value, as in {"status": {"S": [{"exists": true}]}}'
        ),
    ),
    (
        {"eventName": ["INSRT"]},
        "$.eventName",
        'no record has the event name the text "INSRT"; the names are INSERT, MODIFY, REMOVE',
    ),
]


@pytest.mark.parametrize("spelled", [dict, json.dumps], ids=["dict", "text"])
@pytest.mark.parametrize("case", NEVER, ids=["number", "container", "event"])
def test_a_raw_pattern_that_never_matches_is_refused(
    consume: Consume, case: tuple[dict[str, Any], str, str], spelled: Callable[[Any], Any]
) -> None:
    pattern, where, why = case
    with pytest.raises(FilterError) as caught:
        consume({"eventName": ["REMOVE"]}, spelled(pattern))
    assert (caught.value.where, caught.value.why) == (where, why)


def test_a_pattern_that_is_not_validated_is_taken(consume: Consume) -> None:
    pattern = image(price={"N": [{"numeric": [">", 100]}]})
    consumer = consume(Filter.pattern(pattern, validate=False))
    assert [json.loads(text) for text in consumer.settings.filters] == [pattern]


@pytest.mark.parametrize(
    "tested",
    [
        Filter.insert(NewImage("status").eq("PAID")),
        image(status={"S": ["PAID"]}),
        Filter.pattern(image(status={"S": ["PAID"]}), validate=False),
    ],
    ids=["built", "raw", "as it is"],
)
def test_an_image_that_the_stream_lacks_is_refused(consume: Consume, tested: Any) -> None:
    with pytest.raises(FilterError) as caught:
        consume(tested, view_type="KEYS_ONLY")
    assert str(caught.value) == (
        "$.dynamodb.NewImage: this stream carries KEYS_ONLY records, which have no NewImage; "
        "set stream_view_type=NEW_AND_OLD_IMAGES on the table, or test Keys alone"
    )


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ([{"eventName": ["INSERT"]}] * 6, "filters must be at most 5 patterns, got 6"),
        ([image(status={"S": ["x" * 4096]})], "filters[0] must have at most 4,096 characters"),
        ([{}], "filters[0]: "),
    ],
)
def test_what_lambda_refuses_is_told_with_all_other_faults(
    consume: Consume, filters: list[Any], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        consume(*filters)
    assert any(fault.startswith(said) for fault in caught.value.faults)


def test_nothing_of_a_refused_consumer_is_left_in_the_tree(
    consume: Consume, stack: cdk.Stack
) -> None:
    with pytest.raises(FilterError):
        consume({"eventName": ["INSRT"]})
    assert stack.node.try_find_child("Audit") is None
