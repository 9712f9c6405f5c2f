"""Scenarios in which it matters when and where a record was written: age, windows, shards."""

from __future__ import annotations

from typing import Any

from cdk_streams.mapping import MappingSettings
from tests.bench.scenario import Failure, Result, Scenario, Window
from tests.bench.sharding_proxy import ProxiedShard

__all__ = ["IN_TIME"]

_PARENT = "shardId-00000000000000000001-parent"
_LEFT = "shardId-00000000000000000002-left"
_RIGHT = "shardId-00000000000000000003-right"
_NEXT = "shardId-00000000000000000004-next"


def _too_old(first: int, last: int) -> Failure:
    """The count is 1 although no call was made."""
    size = last - first + 1
    return Failure("RecordAgeExceeded", 1, size, first, last, None, answered=False)


def _sums(**more: Any) -> dict[str, Any]:
    return {"bad": [], "how": "sum", **more}


IN_TIME = (
    Scenario(
        "too_old",
        "a record too old is discarded without a call",
        MappingSettings(max_record_age=60),
        {"bad": [], "how": "raise"},
        Result((), (_too_old(1, 1),)),
        count=1,
        late_s=70,
    ),
    Scenario(
        "old_before_young",
        "only the records at the front that are too old are discarded",
        MappingSettings(max_record_age=60),
        {"bad": [], "how": "raise"},
        Result(((3, 4),), (_too_old(1, 2),)),
        written_s=(0, 0, 3, 3),
        late_s=58,
        evidence="recorded on Kinesis",
    ),
    Scenario(
        "window",
        "state runs through a tumbling window; a record of a later one closes it",
        MappingSettings(batch_size=1, tumbling_window=2),
        _sums(),
        Result(
            ((1,), (2,), (3,), (4,), (), (5,)),
            windows=(
                Window(None),
                Window(1),
                Window(3),
                Window(6),
                Window(10, final=True),
                Window(None),
            ),
        ),
        count=5,
        written_s=(0, 0, 0, 0, 2),
    ),
    Scenario(
        "closing_call_fails",
        "a closing call that is discarded lets the next window begin",
        MappingSettings(tumbling_window=2, retry_attempts=0),
        _sums(closing="raise"),
        Result(
            ((1,), (), (2,)),
            (Failure("RetryAttemptsExhausted", 1, None, None, None, "Unhandled", final=True),),
            windows=(Window(None), Window(1, final=True), Window(None)),
        ),
        count=2,
        written_s=(0, 2),
    ),
    Scenario(
        "shards",
        "a shard is read to its end before its children, and those side by side",
        MappingSettings(batch_size=1),
        {"bad": [], "how": "raise", "pause_s": 0.1},
        Result(
            ((1,), (2,), (3,), (5,), (4,), (6,), (7,)),
            order=(
                "left after parent",
                "right after parent",
                "left beside right",
                "next after left",
            ),
        ),
        count=7,
        shards={
            _PARENT: ProxiedShard((1, 2)),
            _LEFT: ProxiedShard((3, 5), _PARENT),
            _RIGHT: ProxiedShard((4, 6), _PARENT),
            _NEXT: ProxiedShard((7,), _LEFT),
        },
        evidence="recorded on Kinesis",
    ),
)
