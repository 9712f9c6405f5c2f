"""Whether an item has changed since a record of it failed, and whether that change was handled.

    states = item_states(client, plan, handled_until(client("cloudwatch"), function, now))
    states["100000000000000000004"].kind          # "stale": a redrive would undo a newer change

All changes of an item are in one shard, in order, until that shard is closed; then the table says
what the item is now.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.arns import Arn
from cdk_streams.live import AfterNumber, Client, ShardReader, StreamsApi, event_record
from cdk_streams.poller import sequence_number
from cdk_streams.redrive._failure_record import FailureRecord
from cdk_streams.redrive._plan import RedrivePlan
from lambda_runtime import decode
from lambda_runtime.errors import StreamRuntimeError

__all__ = ["ItemState", "handled_until", "item_states"]

_LOOK_BACK: Final = timedelta(minutes=15)
_PERIOD_S: Final = 60
_PAGES_THAT_MAY_BE_EMPTY: Final = 10
_READS_THAT_MAY_FAIL: Final = 5
_MOST_PAGES: Final = 200

Kind: TypeAlias = Literal["latest", "newer", "stale", "unknown"]


@dataclass(frozen=True, slots=True)
class ItemState:
    """The state of an item after a record of it was written.

    `kind`: "latest": it has not changed since; "newer": it has, and whether its consumer has
    handled that is unknown; "stale": it has, and that was handled; "unknown": neither the stream
    nor the table says. `newer` and `written_at` are of the next change, where it is in the stream.
    """

    kind: Kind
    newer: str = ""
    written_at: datetime | None = None


def handled_until(cloudwatch: Any, function: str, now: datetime) -> datetime | None:
    """Return until when the function's consumers have handled changes, by their iterator age.

    That is the oldest of the times that the metric `IteratorAge` gives for the 15 minutes before
    `now`. None: it was not invoked in them, or the metric may not be read.
    """
    try:
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="IteratorAge",
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=now - _LOOK_BACK,
            EndTime=now,
            Period=_PERIOD_S,
            Statistics=["Maximum"],
        )
    except (ClientError, BotoCoreError):
        return None
    points = [
        each["Timestamp"] - timedelta(milliseconds=float(each["Maximum"]))
        for each in answer["Datapoints"]
    ]
    # The oldest holds for all shards: one that is retried is not invoked in every minute.
    return min(points, default=None)


def item_states(
    client: Client, plan: RedrivePlan, handled: datetime | None
) -> dict[str, ItemState]:
    """Return the state of each record of a plan, by its sequence number.

    `handled` is what `handled_until` returned: changes before it count as handled. What the stream
    does not tell is asked of the table. Empty for a plan without records.
    """
    if not plan.records:
        return {}
    wanted = {_key(each): None for each in plan.records}
    newer, is_read = _first_newer(client("dynamodbstreams"), plan.failure, wanted)
    states: dict[str, ItemState] = {}
    last = {_key(each): sequence_number(each) for each in plan.records}
    for record in plan.records:
        number, key = sequence_number(record), _key(record)
        if key in newer:
            states[number] = _state_of(newer[key], handled)
        elif last[key] != number:
            # The next change is in the same batch, and is redriven after this one.
            states[number] = ItemState("latest")
        elif is_read:
            states[number] = ItemState("latest")
        else:
            states[number] = _by_table(client("dynamodb"), plan.failure, record)
    return states


def _state_of(newer: Mapping[str, Any], handled: datetime | None) -> ItemState:
    written = datetime.fromtimestamp(newer["dynamodb"]["ApproximateCreationDateTime"], UTC)
    kind: Kind = "stale" if handled is not None and written <= handled else "newer"
    return ItemState(kind, sequence_number(newer), written)


def _first_newer(
    streams: StreamsApi, failure: FailureRecord, wanted: Mapping[str, None]
) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """Return the first change after the batch by item; and whether the shard's end was reached."""
    newer: dict[str, Mapping[str, Any]] = {}
    if failure.last is None:
        return newer, False
    after = AfterNumber(failure.last)
    reader = ShardReader(streams, failure.stream_arn, failure.shard_id, after)
    empty = failed = 0
    for _ in range(_MOST_PAGES):
        page = reader.read()
        for record in page.records:
            if _key(record) in wanted:
                newer.setdefault(_key(record), record)
        failed += page.error is not None
        if page.closed or page.gone or failed == _READS_THAT_MAY_FAIL:
            # Later changes are in the shards that the closed one was split into.
            return newer, False
        empty = 0 if page.records else empty + (page.error is None)
        if empty == _PAGES_THAT_MAY_BE_EMPTY or len(newer) == len(wanted):
            return newer, True
    return newer, False


def _by_table(dynamodb: Any, failure: FailureRecord, record: Mapping[str, Any]) -> ItemState:
    """Compare the record's new image with the item in the table."""
    change = record["dynamodb"]
    is_removed = record["eventName"] == "REMOVE"
    if not is_removed and "NewImage" not in change:
        return ItemState("unknown")
    try:
        found = dynamodb.get_item(
            TableName=Arn.parse(failure.stream_arn).name,
            Key={name: _api_value(value) for name, value in change["Keys"].items()},
            ConsistentRead=True,
        ).get("Item")
        if is_removed or found is None:
            return ItemState("latest" if is_removed and found is None else "newer")
        image = event_record({**record, "dynamodb": {"NewImage": found}}, "")
        is_same = decode({"M": image["dynamodb"]["NewImage"]}) == decode({"M": change["NewImage"]})
    except (ClientError, BotoCoreError, StreamRuntimeError, ValueError, KeyError, AttributeError):
        return ItemState("unknown")
    return ItemState("latest" if is_same else "newer")


def _api_value(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key attribute of an event as boto3 takes it: bytes instead of base64."""
    return {
        kind: base64.b64decode(content) if kind == "B" else content
        for kind, content in value.items()
    }


def _key(record: Mapping[str, Any]) -> str:
    return json.dumps(record["dynamodb"].get("Keys"), sort_keys=True)
