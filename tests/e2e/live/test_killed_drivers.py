"""A live driver that is killed (-9) at random moments: at least once, never a gap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from tests.bench.dynamodb_local import roll_over
from tests.bench.sharding_proxy import ProxiedShard, ShardingProxy

pytestmark = pytest.mark.e2e

Clients = Callable[[str], Any]

PARENT = "shardId-00000000000000000001-parent"
LEFT = "shardId-00000000000000000002-left"
RIGHT = "shardId-00000000000000000003-right"
NEXT = "shardId-00000000000000000004-next"


def first_times(seen: list[dict[str, Any]]) -> list[int]:
    return list(dict.fromkeys(each["n"] for each in seen))


def assert_items_are_in_order(seen: list[dict[str, Any]]) -> None:
    for key in {each["key"] for each in seen}:
        numbers = first_times([each for each in seen if each["key"] == key])
        assert numbers == sorted(numbers), key


@pytest.mark.parametrize("factor", [1, 3])
def test_a_driver_killed_at_random_moments_loses_nothing(
    table: Any, eventually: Any, factor: int
) -> None:
    count, kills = 300, 5
    settings: dict[str, Any] = {"batch_size": 7, "parallelization_factor": factor}
    endpoint_url = table.clients("dynamodb").meta.endpoint_url
    writing = threading.Thread(target=table.write, args=(count,))
    writing.start()
    table.driven_and_killed(endpoint_url, settings, count, kills=kills, seed=factor)
    writing.join()
    with table.driven(MappingSettings(**settings)):
        eventually(lambda: not table.left(count), "every record must be handled")
    seen = table.seen()
    assert_items_are_in_order(seen)
    if factor == 1:
        assert first_times(seen) == list(range(count))
    print(  # noqa: T201 - shown with -s: the counts
        f"factor {factor}: {kills} kills, {count} of {count} handled, {len(seen) - count} again"
    )


def test_windows_of_shards_that_roll_over_count_every_record_once(
    table: Any, eventually: Any
) -> None:
    """Real shards of DynamoDB Local, that end and go on; each closes its tumbling window."""
    parts, part, kills = 3, 60, 3
    count = parts * part
    settings: dict[str, Any] = {"batch_size": 7, "tumbling_window": 60}
    dynamodb = table.clients("dynamodb")

    def write() -> None:
        for _ in range(parts):
            table.write(part)
            roll_over(dynamodb)

    writing = threading.Thread(target=write)
    writing.start()
    table.driven_and_killed(dynamodb.meta.endpoint_url, settings, count, kills=kills, seed=1)
    writing.join()
    with table.driven(MappingSettings(**settings)):
        eventually(
            lambda: sum(map(max, table.totals().values())) >= sum(range(count)),
            "every window must close",
        )
    seen = table.seen()
    assert first_times(seen) == list(range(count))
    totals = table.totals()
    shards = {window.split()[0] for window in totals}
    assert len(shards) == parts
    # A closing call may come again, but never with another total.
    assert all(len(told) == 1 for told in totals.values())
    assert sum(map(max, totals.values())) == sum(range(count))
    print(  # noqa: T201 - shown with -s: the counts
        f"{kills} kills over {parts} shards: {count} of {count} counted once, "
        f"{len(seen) - count} handled again, {len(totals)} windows"
    )


def test_a_stream_that_splits_is_read_parent_first_however_often_its_driver_is_killed(
    table: Any, eventually: Any, clients_at: Callable[[str], Clients]
) -> None:
    count, kills = 160, 3
    settings: dict[str, Any] = {"batch_size": 7}
    # Ten items in turn: those at odd places go left, and that shard is continued by another.
    shards = {
        PARENT: ProxiedShard(range(1, 51)),
        LEFT: ProxiedShard(range(51, 101, 2), PARENT),
        RIGHT: ProxiedShard(range(52, count + 1, 2), PARENT),
        NEXT: ProxiedShard(range(101, count + 1, 2), LEFT),
    }
    writing = threading.Thread(target=table.write, args=(count,))
    with ShardingProxy(table.clients("dynamodb").meta.endpoint_url, shards=shards) as retold:
        writing.start()
        table.driven_and_killed(retold.endpoint_url, settings, count, kills=kills, seed=1)
        writing.join()
        with table.driven(MappingSettings(**settings), clients_at(retold.endpoint_url)):
            eventually(lambda: not table.left(count), "every record must be handled")
    seen = table.seen()
    assert_items_are_in_order(seen)
    order = first_times(seen)
    for shard in shards.values():
        own = [order.index(place - 1) for place in shard.places]
        assert own == sorted(own)
        if shard.parent is not None:
            assert min(own) > max(order.index(place - 1) for place in shards[shard.parent].places)
    print(  # noqa: T201 - shown with -s: the counts
        f"{kills} kills over {len(shards)} shards: {count} of {count} handled, "
        f"{len(seen) - count} again"
    )
