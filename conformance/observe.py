"""One scenario on a deployed stack: write, enable the mapping, wait, collect what happened."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance.handler import MARK
from conformance.metrics import collected
from conformance.question import Question
from conformance.recording import RecordedCall, Recording

__all__ = ["Deployed", "Pace", "Poller", "observe"]

_LOOK_EVERY_S: Final = 2.0
_STREAM_ENDS_AFTER_READS: Final = 10


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stack made for one question, by name; `queue` is a URL, `mapping` a UUID."""

    table: str
    function: str
    logs: str
    queue: str
    mapping: str

    @classmethod
    def of(cls, outputs: Mapping[str, str], name: str) -> Deployed:
        """Read the outputs of the stack for a construct's name."""
        return cls(
            **{each: outputs[f"{name}Has{each.capitalize()}"] for each in cls.__dataclass_fields__}
        )


@dataclass(frozen=True, slots=True)
class Poller:
    """Who is asked: `client` makes a boto3 client of a service; `where` and `versions` are kept."""

    client: Callable[[str], Any]
    where: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a scenario waits.

    Attributes:
        wait: Waits for seconds; raises to end the run.
        start_s: What a mapping is given to begin to poll.
        quiet_s: Replaces each question's own `quiet_s`; None: does not.
        metrics_s: What CloudWatch is given to show the last data points.

    """

    wait: Callable[[float], None]
    start_s: float
    quiet_s: float | None = None
    metrics_s: float = 0.0


def observe(question: Question, deployed: Deployed, poller: Poller, pace: Pace) -> Recording:
    """Put the question to the poller and return what was seen; the mapping is disabled again."""
    functions = poller.client("lambda")
    _write(question, deployed, poller, pace)
    if question.throttled_s:
        functions.put_function_concurrency(
            FunctionName=deployed.function, ReservedConcurrentExecutions=0
        )
    states = [_state(functions, deployed)]
    functions.update_event_source_mapping(UUID=deployed.mapping, Enabled=True)
    began, began_at = time.monotonic(), dt.datetime.now(dt.UTC)
    quiet_s = question.quiet_s if pace.quiet_s is None else pace.quiet_s
    throttled_until = time.monotonic() + pace.start_s + question.throttled_s
    end = throttled_until + question.waits_s + quiet_s
    throttled = question.throttled_s > 0
    while (now := time.monotonic()) < end:
        if throttled and now >= throttled_until:
            functions.delete_function_concurrency(FunctionName=deployed.function)
            throttled = False
        if (state := _state(functions, deployed)) != states[-1]:
            states.append(state)
        pace.wait(min(_LOOK_EVERY_S, max(0.0, end - now)))
    functions.update_event_source_mapping(UUID=deployed.mapping, Enabled=False)
    states.append(_state(functions, deployed))
    watched_s = round(time.monotonic() - began, 1)
    pace.wait(pace.metrics_s)
    return Recording(
        question.name,
        poller.where,
        dt.datetime.now(dt.UTC).date().isoformat(),
        dict(poller.versions),
        question.scenario.settings.to_template(),
        watched_s,
        _ordinals(deployed, poller),
        tuple(_calls(deployed, poller)),
        tuple(_failures(deployed, poller)),
        collected(
            poller.client("cloudwatch"),
            deployed.function,
            deployed.mapping,
            began_at,
            dt.datetime.now(dt.UTC),
        ),
        tuple(states),
    )


def _state(functions: Any, deployed: Deployed) -> str:
    state: str = functions.get_event_source_mapping(UUID=deployed.mapping)["State"]
    return state


def _write(question: Question, deployed: Deployed, poller: Poller, pace: Pace) -> None:
    """Write each record at its second since the start of a tumbling window, then wait."""
    scenario, dynamodb = question.scenario, poller.client("dynamodb")
    window = scenario.settings.tumbling_window
    length_s = 1 if window is None else int(window.total_seconds())
    began_s = (int(time.time()) // length_s + 1) * length_s
    for ordinal in range(1, scenario.count + 1):
        if scenario.written_s:
            pace.wait(max(0.0, began_s + scenario.written_s[ordinal - 1] - time.time()))
        item = {
            "pk": {"S": scenario.key(ordinal)},
            "ordinal": {"N": str(ordinal)},
            "keep": {"BOOL": ordinal in scenario.keep},
        }
        dynamodb.put_item(TableName=deployed.table, Item=item)
    pace.wait(scenario.late_s)


def _ordinals(deployed: Deployed, poller: Poller) -> dict[str, int]:
    """Return the ordinal of each sequence number of the stream.

    Each item carries its ordinal, so it does not matter in which shard it lies.
    """
    described = poller.client("dynamodb").describe_table(TableName=deployed.table)
    arn = described["Table"]["LatestStreamArn"]
    streams = poller.client("dynamodbstreams")
    ordinals: dict[str, int] = {}
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        # An open shard has always a next iterator; empty reads are common on the way.
        for _ in range(_STREAM_ENDS_AFTER_READS):
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                change = record["dynamodb"]
                ordinals[change["SequenceNumber"]] = int(change["NewImage"]["ordinal"]["N"])
            if (iterator := answer.get("NextShardIterator")) is None:
                break
    return ordinals


def _calls(deployed: Deployed, poller: Poller) -> Iterator[RecordedCall]:
    pages = poller.client("logs").get_paginator("filter_log_events")
    lines = [
        line
        for page in pages.paginate(logGroupName=deployed.logs)
        for event in page["events"]
        if (line := _line(event["message"])) is not None
    ]
    for line in sorted(lines, key=lambda each: (each["began_ms"], each[MARK])):
        del line[MARK]
        line["sequence_numbers"] = tuple(line["sequence_numbers"])
        yield RecordedCall(**line)


def _line(message: str) -> dict[str, Any] | None:
    """Return the kit's own line of a message; None for Lambda's."""
    _, mark, rest = message.partition(f'{{"{MARK}"')
    if not mark:
        return None
    line: dict[str, Any] = json.JSONDecoder().raw_decode(mark + rest)[0]
    return line


def _failures(deployed: Deployed, poller: Poller) -> list[dict[str, Any]]:
    """Return the failure records in the order they were sent, without removing them."""
    sqs = poller.client("sqs")
    bodies: dict[str, dict[str, Any]] = {}
    while True:
        found = sqs.receive_message(
            QueueUrl=deployed.queue,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            VisibilityTimeout=300,
        ).get("Messages", [])
        if not found:
            return sorted(bodies.values(), key=lambda body: str(body["timestamp"]))
        bodies |= {each["MessageId"]: json.loads(each["Body"]) for each in found}
