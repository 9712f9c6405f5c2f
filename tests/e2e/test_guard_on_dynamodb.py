"""Guarded writes on a DynamoDB API over the wire: it decides as the table in memory does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from cdk_streams.local import local_aws
from lambda_runtime import MemoryTable, parse, write_once

pytestmark = pytest.mark.e2e


def record(number: int, item: str, event_name: str) -> dict[str, Any]:
    keys = {"pk": {"S": item}}
    image: dict[str, Any] = {**keys, "number": {"S": str(number)}, "raw": {"B": "AAEC"}}
    image["tags"] = {"SS": ["a", "b"]}
    return {
        "eventName": event_name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": keys,
            **({} if event_name == "REMOVE" else {"NewImage": image}),
            "SequenceNumber": str(number),
            "StreamViewType": "NEW_IMAGE",
        },
    }


@pytest.fixture(scope="module")
def table() -> Iterator[Any]:
    with local_aws(region="eu-west-1") as aws:
        dynamodb = boto3.resource(
            "dynamodb",
            endpoint_url=aws.endpoint_url,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the local one takes any
        )
        yield dynamodb.create_table(
            TableName="target",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_write_is_applied_or_not_as_in_memory(table: Any, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the seed is the reproduction
    numbers = [chance.randrange(1, 10 ** chance.choice([3, 21, 22, 40])) for _ in range(20)]
    history = [
        record(number, chance.choice("ABC"), chance.choice(["INSERT", "MODIFY", "REMOVE"]))
        for number in numbers
    ]
    delivered = parse({"Records": chance.sample(history * 2, k=40)})
    in_memory = MemoryTable("pk")
    for item in table.scan()["Items"]:
        table.delete_item(Key={"pk": item["pk"]})

    for change in delivered:
        assert write_once(table, change) == write_once(in_memory, change)

    stored = {item["pk"]: item for item in table.scan()["Items"]}
    expected = {key[0]: item for key, item in in_memory.items.items()}
    for item in stored.values():
        if "raw" in item:
            item["raw"] = item["raw"].value  # boto3 wraps bytes
    assert stored == expected
