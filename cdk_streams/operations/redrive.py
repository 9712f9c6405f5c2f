"""Failure records back to their function: read what they name, show it, and only then call.

    for failure in read_failures(sqs, queue_url):
        plan = plan_redrive(failure.body, streams, settings)
        print(plan)                       # nothing has been called so far
        if carry_out(plan, runner.invoke).redriven:
            discard(sqs, queue_url, failure)

A failure record names a range of a shard and holds no data (in a bucket it does). Records can be
read back for 24 hours; what is gone by then is counted as missing.
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from cdk_streams.errors import SourceError
from cdk_streams.filters import matches
from cdk_streams.mapping import MappingSettings

from .execution import Answer
from .progress import reported
from .shard_reader import AtNumber, ShardReader
from .stream_api import StreamsApi

__all__ = [
    "FailureMessage",
    "Outcome",
    "RedrivePlan",
    "carry_out",
    "discard",
    "plan_redrive",
    "read_failures",
]

_REQUEST = ("functionArn", "condition")
_BATCH = ("streamArn", "shardId", "startSequenceNumber", "endSequenceNumber", "batchSize")
_READS_THAT_MAY_FAIL = 20
# A page may be empty although records follow it.
_PAGES_THAT_MAY_BE_EMPTY = 10


@dataclass(frozen=True, slots=True)
class FailureMessage:
    """A failure record as it lies in a queue; `receipt` is what deletes it."""

    body: Mapping[str, Any]
    receipt: str


@dataclass(frozen=True, slots=True)
class RedrivePlan:
    """What a redrive would call the function with.

    `missing` counts the records of the batch that have left the stream. Records of other lanes
    (with a parallelization factor) lie in the same range and come with it: handlers see a record
    at least once anyway.
    """

    function_arn: str
    shard_id: str
    condition: str
    records: tuple[Mapping[str, Any], ...]
    missing: int

    @property
    def event(self) -> dict[str, Any]:
        """The event to call the function with."""
        return {"Records": list(self.records)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a redrive came to; when it is not `redriven`, `why` says so and nothing is discarded."""

    redriven: bool
    why: str = ""


def read_failures(sqs: Any, queue_url: str) -> Iterator[FailureMessage]:
    """Receive the failure records of a queue; each stays hidden for its visibility timeout.

    A message that holds no JSON object has an empty body, which `plan_redrive` refuses.
    """
    while True:
        # Without a wait SQS asks some of its servers only, and may find none of the messages.
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        if not messages:
            return
        for message in messages:
            yield FailureMessage(_body(message["Body"]), message["ReceiptHandle"])


def discard(sqs: Any, queue_url: str, failure: FailureMessage) -> None:
    """Delete a failure record that was redriven."""
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=failure.receipt)


def plan_redrive(
    body: Mapping[str, Any], streams: StreamsApi, settings: MappingSettings
) -> RedrivePlan:
    """Return what the failure record names, read back from the stream or from its own payload.

    Raises:
        SourceError: It is no failure record of a DynamoDB mapping, or its stream cannot be read.

    """
    request, batch = body.get("requestContext"), body.get("DDBStreamBatchInfo")
    if not (_holds(request, _REQUEST) and _holds(batch, _BATCH) and _is_range(batch)):
        raise SourceError(
            "a failure record must have requestContext and DDBStreamBatchInfo with its range, "
            f"got the keys {', '.join(map(str, body)) or 'none'}"
        )
    if "payload" in body:
        records = tuple(json.loads(body["payload"])["Records"])
    else:
        records = tuple(record for record in _range(streams, batch) if _is_wanted(record, settings))
    return RedrivePlan(
        function_arn=request["functionArn"],
        shard_id=batch["shardId"],
        condition=request["condition"],
        records=records,
        missing=max(0, batch["batchSize"] - len(records)),
    )


def carry_out(plan: RedrivePlan, invoke: Callable[[Any, str], Answer]) -> Outcome:
    """Call the function with the planned records; a partial failure is a failure of the redrive."""
    if not plan.records:
        return Outcome(redriven=False, why="its records have left the stream")
    answer = invoke(plan.event, str(uuid.uuid4()))
    if answer.throttled:
        return Outcome(redriven=False, why="the function was throttled")
    if answer.function_error is not None:
        return Outcome(redriven=False, why=f"the function failed with {answer.error_type}")
    if failed := reported(answer.payload):
        return Outcome(redriven=False, why=f"the function reported {failed} as failed")
    return Outcome(redriven=True)


def _range(streams: StreamsApi, batch: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the records from the batch's first to its last number, both included."""
    start, last = AtNumber(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
    reader = ShardReader(streams, batch["streamArn"], batch["shardId"], start)
    failures = empty = 0
    while empty < _PAGES_THAT_MAY_BE_EMPTY:
        page = reader.read()
        for record in page.records:
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= last:
                yield record
            if number >= last:
                return
        if page.gone:
            return
        if page.error is not None:
            failures += 1
            if failures == _READS_THAT_MAY_FAIL:
                raise SourceError(f"{batch['shardId']} could not be read: {page.error}")
        elif page.closed:
            return
        empty += page.error is None and not page.records


def _is_wanted(record: Mapping[str, Any], settings: MappingSettings) -> bool:
    return not settings.filters or any(matches(each, record) for each in settings.filters)


def _holds(part: Any, names: Sequence[str]) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(part, Mapping) and all(name in part for name in names)


def _is_range(batch: Mapping[str, Any]) -> bool:
    numbers = (batch["startSequenceNumber"], batch["endSequenceNumber"])
    return all(str(each).isdecimal() for each in numbers) and isinstance(batch["batchSize"], int)


def _body(text: str) -> Mapping[str, Any]:
    """Return the failure record in a message; one that came by a topic is wrapped once more."""
    try:
        body = json.loads(text)
        if isinstance(body, Mapping) and body.get("Type") == "Notification":
            body = json.loads(body["Message"])
    except (ValueError, KeyError, TypeError):
        return {}
    return body if isinstance(body, Mapping) else {}
