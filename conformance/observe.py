"""One scenario on a deployed stack: write, enable the mapping, wait, collect what happened."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cdk_streams.errors import StreamsError
from conformance.handler import MARK
from conformance.metrics import collected
from conformance.question import SPLIT_S, Question, Split
from conformance.recording import RecordedCall, Recording
from lambda_runtime import encode

__all__ = ["Deployed", "Pace", "Poller", "observe"]

_LOOK_EVERY_S: Final = 2.0
_STREAM_ENDS_AFTER_READS: Final = 10


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stack made for one question, by name.

    `queue` is a URL, empty for a mapping without a destination; `mapping` is a UUID.
    """

    table: str
    function: str
    logs: str
    queue: str
    mapping: str

    @classmethod
    def of(cls, outputs: Mapping[str, str], name: str) -> Deployed:
        """Read the output of the stack for a construct's name: a JSON object."""
        return cls(**json.loads(outputs[f"{name}Has"]))


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
    """Put the question to the poller and return what was seen; the mapping is disabled again.

    Raises:
        StreamsError: The shards that the question asks to be split were not.

    """
    _write(question, deployed, poller, pace)
    began, began_at = time.monotonic(), dt.datetime.now(dt.UTC)
    states = list(_watched(question, deployed, poller.client("lambda"), pace))
    watched_s = round(time.monotonic() - began, 1)
    pace.wait(pace.metrics_s)
    ended_at = dt.datetime.now(dt.UTC)
    ordinals, written_ms = _written(deployed, poller)
    return Recording(
        scenario=question.name,
        where=poller.where,
        made=ended_at.date().isoformat(),
        versions=dict(poller.versions),
        settings=question.scenario.settings.to_template(),
        watched_s=watched_s,
        ordinals=ordinals,
        calls=tuple(_calls(deployed, poller)),
        failures=tuple(_failures(deployed, poller)),
        metrics=collected(
            poller.client("cloudwatch"), deployed.function, deployed.mapping, began_at, ended_at
        ),
        states=tuple(states),
        written_ms=written_ms,
    )


def _watched(question: Question, deployed: Deployed, functions: Any, pace: Pace) -> Iterator[str]:
    """Enable the mapping, do what the question asks meanwhile, disable it; yield its states."""
    if question.throttled_s:
        functions.put_function_concurrency(
            FunctionName=deployed.function, ReservedConcurrentExecutions=0
        )
    yield (last := _state(functions, deployed))
    functions.update_event_source_mapping(UUID=deployed.mapping, Enabled=True)
    quiet_s = question.quiet_s if pace.quiet_s is None else pace.quiet_s
    actions = _actions(question, deployed, functions)
    # Nobody tells when a mapping begins to poll: it is given the same time in every scenario.
    polls = time.monotonic() + pace.start_s
    end = polls + max((at_s for at_s, _ in actions), default=0) + question.waits_s + quiet_s
    while (now := time.monotonic()) < end:
        if actions and now >= polls + actions[0][0]:
            actions.pop(0)[1]()
        if (state := _state(functions, deployed)) != last:
            yield (last := state)
        pace.wait(min(_LOOK_EVERY_S, max(0.0, end - now)))
    functions.update_event_source_mapping(UUID=deployed.mapping, Enabled=False)
    yield _state(functions, deployed)


def _actions(
    question: Question, deployed: Deployed, functions: Any
) -> list[tuple[int, Callable[[], Any]]]:
    """Return what is done in mid-run, and how many seconds after the mapping began to poll."""
    actions: list[tuple[int, Callable[[], Any]]] = []
    if question.throttled_s:
        free = partial(functions.delete_function_concurrency, FunctionName=deployed.function)
        actions.append((question.throttled_s, free))
    if (update := question.update) is not None:
        before, after = question.scenario.settings.to_template(), update.settings.to_template()
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        again = partial(functions.update_event_source_mapping, UUID=deployed.mapping, **changed)
        actions.append((update.after_s, again))
    return actions


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
        dynamodb.put_item(TableName=deployed.table, Item=encode(scenario.item(ordinal))["M"])
        if question.split is not None and question.split.after == ordinal:
            _split(question.split, deployed, poller, pace)
    pace.wait(scenario.late_s)


def _split(split: Split, deployed: Deployed, poller: Poller, pace: Pace) -> None:
    """Raise the table's warm throughput and wait until its stream has more shards."""
    before = len(_shards(_stream_arn(deployed, poller), poller))
    poller.client("dynamodb").update_table(
        TableName=deployed.table, WarmThroughput={"WriteUnitsPerSecond": split.write_units}
    )
    end = time.monotonic() + SPLIT_S
    while len(_shards(_stream_arn(deployed, poller), poller)) <= before:
        if time.monotonic() > end:
            raise StreamsError(
                f"the stream must have more than {before} shards within {SPLIT_S} s after its "
                f"table was warmed to {split.write_units} write units, got no more; "
                "ask again later, or for more write units"
            )
        pace.wait(_LOOK_EVERY_S)


def _stream_arn(deployed: Deployed, poller: Poller) -> str:
    described = poller.client("dynamodb").describe_table(TableName=deployed.table)
    arn: str = described["Table"]["LatestStreamArn"]
    return arn


def _shards(stream_arn: str, poller: Poller) -> list[str]:
    streams, shards, asked = poller.client("dynamodbstreams"), [], {"StreamArn": stream_arn}
    while True:
        described = streams.describe_stream(**asked)["StreamDescription"]
        shards += [each["ShardId"] for each in described["Shards"]]
        if (last := described.get("LastEvaluatedShardId")) is None:
            return shards
        asked["ExclusiveStartShardId"] = last


def _written(deployed: Deployed, poller: Poller) -> tuple[dict[str, int], dict[str, int]]:
    """Return the ordinal of each sequence number of the stream, and when it was written.

    Each item carries its ordinal, so it does not matter in which shard it lies.
    """
    arn, streams = _stream_arn(deployed, poller), poller.client("dynamodbstreams")
    ordinals: dict[str, int] = {}
    written_ms: dict[str, int] = {}
    for shard in _shards(arn, poller):
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        # An open shard has always a next iterator; empty reads are common on the way.
        for _ in range(_STREAM_ENDS_AFTER_READS):
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                change = record["dynamodb"]
                number, at = change["SequenceNumber"], change["ApproximateCreationDateTime"]
                ordinals[number] = int(change["NewImage"]["ordinal"]["N"])
                written_ms[number] = round(at.timestamp() * 1000)
            if (iterator := answer.get("NextShardIterator")) is None:
                break
    return ordinals, written_ms


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
    if not deployed.queue:
        return []
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
