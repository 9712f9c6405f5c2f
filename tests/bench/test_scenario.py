from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.mapping import MappingSettings
from tests.bench.scenario import Call, Result, Scenario, result_of
from tests.bench.sharding_proxy import ProxiedShard

PARENT, LEFT, RIGHT = "shardId-1-parent", "shardId-2-left", "shardId-3-right"
SCENARIO = Scenario(
    "shards",
    "a rule",
    MappingSettings(),
    {},
    Result(()),
    shards={
        PARENT: ProxiedShard((1,)),
        LEFT: ProxiedShard((2,), PARENT),
        RIGHT: ProxiedShard((3,), PARENT),
    },
)


def call(shard_id: str, number: int, began: float, ended: float) -> Call:
    event: dict[str, Any] = {"Records": [{"dynamodb": {"SequenceNumber": str(number)}}]}
    return Call(shard_id, event, began, ended)


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ((1, 3), (1, 3), ("left after parent", "right after parent", "left beside right")),
        ((1, 2), (2, 3), ("left after parent", "right after parent", "right after left")),
        ((0.5, 2), (1, 3), ("parent beside left", "right after parent", "left beside right")),
        ((1, 2), (0, 1), ("left after parent", "parent beside right", "left after right")),
    ],
)
def test_a_result_tells_how_the_spans_of_shards_lie(
    left: tuple[float, float], right: tuple[float, float], order: tuple[str, ...]
) -> None:
    calls = [call(PARENT, 1, 0, 1), call(RIGHT, 3, *right), call(LEFT, 2, *left)]
    result = result_of(SCENARIO, calls, [], {"1": 1, "2": 2, "3": 3})
    assert result.calls == ((1,), (2,), (3,))
    assert result.order == order
