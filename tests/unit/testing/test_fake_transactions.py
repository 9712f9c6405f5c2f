"""Transactions of `FakeDynamoDB`: what DynamoDB refuses is refused, and then nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.testing import FakeDynamoDB, RequestFailed


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    fake = FakeDynamoDB({"t": ("id",), "two": ("pk", "sk")})
    fake.write("t", {"id": "a", "n": 3})
    return fake


def add(number: str, **more: Any) -> dict[str, Any]:
    request = {
        "TableName": "t",
        "Key": {"id": {"S": "a"}},
        "UpdateExpression": "ADD #n :n",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":n": {"N": number}},
    }
    return {"Update": {**request, **more}}


def put(name: str, table: str = "t") -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {"id": {"S": name}}}}


def test_all_actions_are_carried_out(dynamodb: FakeDynamoDB) -> None:
    delete = {"Delete": {"TableName": "two", "Key": {"pk": {"S": "x"}, "sk": {"S": "y"}}}}
    dynamodb.write("two", {"pk": "x", "sk": "y"})

    dynamodb.transact_write_items(TransactItems=[add("-1.5"), put("b"), delete])

    assert dynamodb.items("t") == [{"id": "a", "n": 1.5}, {"id": "b"}]
    assert dynamodb.items("two") == []


def test_an_update_makes_an_item_that_is_not_there(dynamodb: FakeDynamoDB) -> None:
    dynamodb.transact_write_items(TransactItems=[add("1", Key={"id": {"S": "new"}})])

    assert dynamodb.items("t")[1] == {"id": "new", "n": 1}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("#n > :n", True),
        ("#n >= :n", True),
        ("#n < :n", False),
        ("#n <= :n", False),
        ("#n <> :n", True),
        ("attribute_exists(#n)", True),
        ("attribute_exists(#n) AND #n = :n", False),
    ],
)
def test_a_condition_decides_over_all(dynamodb: FakeDynamoDB, condition: str, holds: bool) -> None:
    actions = [put("b"), add("1", ConditionExpression=condition)]
    if holds:
        dynamodb.transact_write_items(TransactItems=actions)
    else:
        with pytest.raises(RequestFailed) as failed:
            dynamodb.transact_write_items(TransactItems=actions)
        assert failed.value.response["Error"]["Code"] == "TransactionCanceledException"
        assert failed.value.response["CancellationReasons"] == [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed"},
        ]

    assert len(dynamodb.items("t")) == (2 if holds else 1)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([put(str(n)) for n in range(101)], "1 to 100 actions"),
        ([put("b"), put("b")], "cannot include multiple operations on one item"),
        ([put("b", table="two")], "does not match the schema"),
        ([add("1", Key={"id": {"S": "a"}, "more": {"S": "b"}})], "does not match the schema"),
        ([put("b"), add("0.0000000000000000000000000000000000000001")], "up to 38 digits"),
    ],
)
def test_what_dynamodb_refuses_changes_nothing(
    dynamodb: FakeDynamoDB, actions: list[Any], message: str
) -> None:
    with pytest.raises(RequestFailed, match=message) as failed:
        dynamodb.transact_write_items(TransactItems=actions)

    assert failed.value.response["Error"]["Code"] == "ValidationException"
    assert dynamodb.items("t") == [{"id": "a", "n": 3}]


def test_what_the_fake_does_not_know_it_says(dynamodb: FakeDynamoDB) -> None:
    with pytest.raises(NotImplementedError, match="of the form ADD #name :value"):
        dynamodb.transact_write_items(TransactItems=[add("1", UpdateExpression="SET #n = :n")])
