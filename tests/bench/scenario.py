"""A scenario of recorded behaviour as a value, and what a run of it came to, however it was run.

`result_of` turns what an observer saw into the same `Result` that a scenario expects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal, TypeAlias

from cdk_streams.mapping import MappingSettings
from cdk_streams.poller import CallEnded, Invoke, invocation_event
from tests.bench.sharding_proxy import ProxiedShard

__all__ = ["Call", "Evidence", "Failure", "Result", "Scenario", "Window", "calls_of", "result_of"]

# In a list each takes one byte of an item's 400 KB, and nine of a record's JSON: `{"S":""},`.
_EMPTY_TEXTS = 390_000
Evidence: TypeAlias = Literal["recorded on AWS", "recorded on Kinesis", "follows from it"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure record without its ids and times; `first` and `last` are ordinals.

    That of a closing call (`final`) has no records: their fields are None. `answered`: it has a
    `responseContext`, which a record discarded for its age has not.
    """

    condition: str
    count: int
    batch_size: int | None
    first: int | None
    last: int | None
    function_error: str | None
    answered: bool = True
    final: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What a call is told of its tumbling window: the sum so far, None in a fresh state."""

    total: int | None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The calls, each as the ordinals of its records, and the failure records in order.

    `windows` has one for each call of a mapping with tumbling windows. With several shards the
    calls stand shard after shard, and `order` says how the shards' spans lie:
    `"left after parent"`, `"left beside right"`.
    """

    calls: tuple[tuple[int, ...], ...]
    failures: tuple[Failure, ...] = ()
    windows: tuple[Window, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Records 1 to `count` lie in the stream when the mapping of these settings starts.

    Attributes:
        plan: What `scenario_handler.behaving` takes.
        one_item: Whether all records are changes of one item, not of one item each.
        keep: The ordinals whose item has `keep: true`, for filters.
        large: The ordinals whose record, with both images, is larger than a call may be; goes with
            `one_item`. The item is below DynamoDB's 400 KB before and after the change.
        written_s: When each record is written, in whole seconds since the start of a tumbling
            window (without one, of a second); empty: all at once.
        late_s: How long after the last record the mapping starts, by its own clock.
        shards: Where the records lie when that is not one shard; a parent stands before its
            children.

    """

    name: str
    rule: str
    settings: MappingSettings
    plan: Mapping[str, Any]
    expected: Result
    count: int = 4
    one_item: bool = False
    keep: frozenset[int] = frozenset()
    large: frozenset[int] = frozenset()
    written_s: tuple[int, ...] = ()
    late_s: int = 0
    shards: Mapping[str, ProxiedShard] = field(default_factory=dict)
    evidence: Evidence = "recorded on AWS"

    def key(self, ordinal: int) -> str:
        """Return the partition key, the attribute `pk`, of the item that a record changes."""
        return "item-1" if self.one_item else f"item-{ordinal}"

    def item(self, ordinal: int) -> dict[str, Any]:
        """Return the item that a record's change leaves behind, as plain values."""
        item = {"pk": self.key(ordinal), "ordinal": ordinal, "keep": ordinal in self.keep}
        if self.large & {ordinal, ordinal + 1}:
            item["fill"] = [""] * _EMPTY_TEXTS
        return item


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, and when: two numbers of any clock or count."""

    shard_id: str
    event: Mapping[str, Any]
    began: float
    ended: float


def calls_of(notices: Iterable[object], stream_arn: str) -> list[Call]:
    """Return the calls among the notices of a live consumer; a moment is a notice's place."""
    began: dict[tuple[str, int, int], tuple[float, Invoke]] = {}
    calls: list[Call] = []
    for place, notice in enumerate(notices):
        match notice:
            case Invoke(shard_id, lane, call):
                began[shard_id, lane, call] = place, notice
            case CallEnded(shard_id, lane, call):
                at, invoke = began.pop((shard_id, lane, call))
                event = invocation_event(invoke, stream_arn)
                calls.append(Call(shard_id, event, at, place))
            case _:
                pass
    return sorted(calls, key=lambda call: call.began)


def result_of(
    scenario: Scenario,
    calls: Iterable[Call],
    failures: Iterable[Mapping[str, Any]],
    ordinals: Mapping[str, int],
) -> Result:
    """Return what was seen: calls in the order they began, and the bodies of failure records.

    `ordinals` has the place of each sequence number.
    """
    names = list(scenario.shards)
    told = list(calls)
    if names:
        told.sort(key=lambda call: names.index(call.shard_id))
    return Result(
        tuple(tuple(ordinals[_number(each)] for each in call.event["Records"]) for call in told),
        tuple(_failure(body, ordinals) for body in failures),
        tuple(_window(call.event) for call in told if "window" in call.event),
        tuple(_order(scenario.shards, told)),
    )


def _window(event: Mapping[str, Any]) -> Window:
    return Window(event["state"].get("sum"), event["isFinalInvokeForWindow"])


def _order(shards: Mapping[str, ProxiedShard], calls: list[Call]) -> Iterable[str]:
    """Say of each parent and child, and of each two siblings, how their spans lie."""
    spans = {
        name: (min(call.began for call in own), max(call.ended for call in own))
        for name in shards
        if (own := [call for call in calls if call.shard_id == name])
    }
    for one, other in combinations(spans, 2):
        if shards[other].parent in {one, shards[one].parent}:
            first, second = _short(one), _short(other)
            if spans[other][0] >= spans[one][1]:
                yield f"{second} after {first}"
            elif spans[one][0] >= spans[other][1]:
                yield f"{first} after {second}"
            else:
                yield f"{first} beside {second}"


def _short(shard_id: str) -> str:
    """`left` of `shardId-00000000000000000002-left`."""
    return shard_id.rpartition("-")[2]


def _failure(body: Mapping[str, Any], ordinals: Mapping[str, int]) -> Failure:
    request, batch = body["requestContext"], body["DDBStreamBatchInfo"]
    first, last = batch.get("startSequenceNumber"), batch.get("endSequenceNumber")
    return Failure(
        request["condition"],
        request["approximateInvokeCount"],
        batch.get("batchSize"),
        None if first is None else ordinals[first],
        None if last is None else ordinals[last],
        (body.get("responseContext") or {}).get("functionError"),
        answered="responseContext" in body,
        final=body.get("timeWindowInfo", {}).get("isFinalInvokeForWindow", False),
    )


def _number(record: Mapping[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number
