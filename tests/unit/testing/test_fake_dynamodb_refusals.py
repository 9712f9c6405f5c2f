"""What `FakeDynamoDB` does not evaluate: it says what it does, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.testing import FakeDynamoDB, RequestFailed

ITEM = {"pk": {"S": "1"}}


def put(condition: str, item: Any = ITEM) -> None:
    FakeDynamoDB({"Orders": ["pk"]}).put_item(
        TableName="Orders", Item=item, ConditionExpression=condition
    )


@pytest.mark.parametrize(
    "condition",
    [
        "contains(#tags, :tag)",
        "attribute_exists(",
        "#status =",
        "attribute_exists(#unnamed)",
        "(attribute_exists(#pk)",
    ],
)
def test_another_condition_is_named_with_those_that_there_are(condition: str) -> None:
    with pytest.raises(NotImplementedError) as refused:
        put(condition)
    assert str(refused.value).startswith("FakeDynamoDB evaluates attribute_exists, ")
    assert f"got the condition {condition!r}; use a local DynamoDB" in str(refused.value)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            lambda: FakeDynamoDB({"Orders": ["pk"]}).stored("Order"),
            "the table must be one that FakeDynamoDB was given (Orders), got Order",
        ),
        (
            lambda: FakeDynamoDB({"Orders": ["pk", "sk"]}).write("Orders", {"pk": "1"}),
            "an item must have the key attributes pk, sk, got one without sk",
        ),
        (
            lambda: FakeDynamoDB({"Orders": ["pk"]}).transact_write_items(TransactItems=[]),
            "a transaction must have 1 to 100 actions, got 0",
        ),
    ],
)
def test_a_refused_request_says_what_is_allowed(mistake: Callable[[], Any], message: str) -> None:
    with pytest.raises(RequestFailed) as refused:
        mistake()
    assert message in str(refused.value)


def test_one_text_is_no_list_of_key_attributes() -> None:
    with pytest.raises(SourceError, match=r"Orders must be a list of key attributes, .* \['pk'\]"):
        FakeDynamoDB({"Orders": "pk"})
