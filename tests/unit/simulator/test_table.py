from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.errors import SourceError
from cdk_streams.simulator._dynamodb.table import Table
from cdk_streams.simulator._faults import NO_FAULTS
from cdk_streams.simulator._records import START, expire, insert, modify, remove
from cdk_streams.simulator._world import World

Records = list[dict[str, Any]]


def _watched(**table: Any) -> tuple[World, Table, Records]:
    world = World(faults=NO_FAULTS)
    made = world.table("Orders", **table)
    records: Records = []
    world.consumer("watch", lambda event, _: records.extend(event["Records"]), table=made)
    return world, made, records


def test_each_write_becomes_the_record_that_lambda_delivers() -> None:
    world, orders, records = _watched(keys="pk")

    orders.put({"pk": "1", "status": "PLACED"})
    orders.put({"pk": "1", "status": "PAID"})
    orders.delete({"pk": "1"})
    orders.put({"pk": "2"})
    orders.expire({"pk": "2"})
    world.run()

    stream = orders.stream
    placed, paid = {"pk": "1", "status": "PLACED"}, {"pk": "1", "status": "PAID"}
    assert records == [
        insert(placed, stream=stream),
        modify(placed, paid, stream=stream, number=2),
        remove(paid, stream=stream, number=3),
        insert({"pk": "2"}, stream=stream, number=4),
        expire({"pk": "2"}, stream=stream, number=5),
    ]


def test_a_write_that_changes_nothing_writes_no_record() -> None:
    world, orders, records = _watched()

    orders.put({"pk": "1", "n": Decimal("1.50"), "tags": {"a", "b"}})
    orders.put({"tags": {"b", "a"}, "n": Decimal("1.5"), "pk": "1"})
    orders.update({"pk": "1"}, {"n": Decimal("1.500")})
    orders.update({"pk": "1"}, {}, remove=["missing"])
    orders.delete({"pk": "2"})
    orders.expire({"pk": "2"})
    world.run()

    assert [each["eventName"] for each in records] == ["INSERT"]


def test_true_and_1_are_different_values() -> None:
    world, orders, records = _watched()

    orders.put({"pk": "1", "flag": True})
    orders.put({"pk": "1", "flag": 1})
    world.run()

    assert [each["eventName"] for each in records] == ["INSERT", "MODIFY"]


def test_an_update_changes_some_attributes_and_removes_others() -> None:
    _, orders, _ = _watched()
    orders.put({"pk": "1", "a": 1, "b": 2})

    orders.update({"pk": "1"}, {"a": 3, "c": 4}, remove=["b"])

    assert orders.get({"pk": "1"}) == {"pk": "1", "a": 3, "c": 4}


def test_an_update_makes_the_item_where_there_is_none() -> None:
    world, orders, records = _watched()

    orders.update({"pk": "1"}, {"a": 1})
    world.run()

    assert records == [insert({"pk": "1", "a": 1}, stream=orders.stream)]


def test_an_update_of_a_key_attribute_is_refused() -> None:
    _, orders, _ = _watched()

    with pytest.raises(SourceError, match="an update keeps the key attributes, got a change of pk"):
        orders.update({"pk": "1"}, {"pk": "2"})


@pytest.mark.parametrize("value", ["", None, True, ["a"], {"a": 1}, {"a"}])
def test_a_key_attribute_is_text_a_number_or_bytes(value: Any) -> None:
    _, orders, _ = _watched()

    with pytest.raises(SourceError, match="the key attribute pk of Orders must be text, a number"):
        orders.put({"pk": value})


def test_an_item_without_its_key_is_refused() -> None:
    _, orders, _ = _watched(keys=("pk", "sk"))

    with pytest.raises(SourceError, match=r"has the key attributes pk, sk, got an item without sk"):
        orders.put({"pk": "1"})


def test_an_item_expires_when_its_time_has_come() -> None:
    world, orders, records = _watched(ttl="until")
    until = int(START.timestamp()) + 60
    orders.put({"pk": "1", "until": until})

    world.run_for(timedelta(seconds=59))
    assert orders.get({"pk": "1"}) is not None
    world.run()

    assert orders.get({"pk": "1"}) is None
    assert [each["eventName"] for each in records] == ["INSERT", "REMOVE"]
    assert records[1]["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"
    assert records[1]["dynamodb"]["ApproximateCreationDateTime"] == float(until)


def test_an_item_that_was_given_more_time_expires_later() -> None:
    world, orders, _ = _watched(ttl="until")
    now = int(START.timestamp())
    orders.put({"pk": "1", "until": now + 60})
    orders.put({"pk": "1", "until": now + 600})
    orders.put({"pk": "2", "until": now + 60})
    orders.put({"pk": "2"})

    world.run_for(timedelta(seconds=300))
    assert len(orders.items()) == 2
    world.run()

    assert orders.items() == [{"pk": "2"}]


def test_all_changes_of_an_item_go_to_one_shard() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders", keys=("pk", "sk"), shards=4)
    for number in range(40):
        orders.put({"pk": str(number % 10), "sk": number // 10})

    shards: dict[str, set[str]] = {}
    for each in world.timeline:
        number = int(each.sequence_numbers[0]) // 10**20 - 1
        shards.setdefault(str(number % 10), set()).add(each.shard_id)
    assert all(len(found) == 1 for found in shards.values())
    assert len({shard for found in shards.values() for shard in found}) > 1


def test_an_item_of_the_list_is_read_only_and_stays_what_it_was() -> None:
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders")
    orders.put({"pk": "1", "status": "PLACED"})
    (before,) = orders.items()

    with pytest.raises(TypeError, match=r"read-only, got a change; change a copy, and write it"):
        before["status"] = "PAID"
    orders.put({**before, "status": "PAID"})

    assert before == {"pk": "1", "status": "PLACED"}
    assert orders.items() == [{"pk": "1", "status": "PAID"}]
    assert type(deepcopy(before)) is dict


def test_an_item_by_its_key_is_the_readers_own() -> None:
    orders = World(faults=NO_FAULTS).table("Orders")
    orders.put({"pk": "1", "lines": [1]})
    item = orders.get({"pk": "1"})
    assert item is not None
    item["lines"].append(2)

    assert orders.get({"pk": "1"}) == {"pk": "1", "lines": [1]}
