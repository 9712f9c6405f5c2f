"""The state of each mapping of a stack: what Lambda, its queue and CloudWatch say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cdk_streams.arns import Arn
from cdk_streams.live import Client, queue_url
from cdk_streams.redrive import destination_of, stack_mappings, stack_resources

__all__ = [
    "FailureQueueStatus",
    "MappingStatus",
    "StackStatus",
    "StatusProblem",
    "stack_status",
]

LATE: Final = timedelta(hours=1)
"""An iterator age from which a mapping counts as late; the alarm's own threshold may differ."""
_LOOK_BACK: Final = timedelta(minutes=15)
_PERIOD_S: Final = 60
# States that a mapping passes through by itself, and the one in which it works.
_WORKING: Final = {"Enabled", "Creating", "Enabling", "Updating"}
_ALARM: Final = "AWS::CloudWatch::Alarm"
_ALARMS_A_CALL: Final = 100


@dataclass(frozen=True, slots=True)
class StatusProblem:
    """Something that is wrong with a mapping, in one sentence, and the command to run next."""

    text: str
    command: str


@dataclass(frozen=True, slots=True)
class FailureQueueStatus:
    """A queue of failure records.

    `waiting` counts its messages, those that are being read too; `oldest` is the age of the oldest,
    None where CloudWatch has no figure yet.
    """

    name: str
    waiting: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class MappingStatus:
    """A mapping of the stack, by its logical id.

    `state` and `last_result` are as Lambda has them. `iterator_age` is the highest of the last 15
    minutes, over all mappings of the function; None: the function was not invoked. `queue` is None
    when failure records go to no queue.
    """

    logical_id: str
    uuid: str
    function: str
    table: str
    state: str
    last_result: str
    iterator_age: timedelta | None
    queue: FailureQueueStatus | None
    problems: tuple[StatusProblem, ...]


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The mappings of a stack, those with problems first, and its alarms that are in ALARM."""

    stack: str
    mappings: tuple[MappingStatus, ...]
    alarms: tuple[str, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether no mapping has a problem and no alarm is in ALARM."""
        return not self.alarms and not any(each.problems for each in self.mappings)


def stack_status(client: Client, *, stack: str, consumer: str | None = None) -> StackStatus:
    """Return the status of the stack's mappings of DynamoDB streams, and of its alarms.

    `consumer` is a mapping's logical id, or what it begins with: a construct's id.

    Raises:
        DeploymentError: There is no such stack or mapping.

    """
    now = datetime.now(UTC)
    found = [
        _mapping_status(client, stack, name, mapping, now)
        for name, mapping in stack_mappings(client, stack, consumer).items()
    ]
    found.sort(key=lambda each: not each.problems)
    return StackStatus(stack, tuple(found), tuple(_alarms(client, stack)))


def _mapping_status(
    client: Client, stack: str, name: str, mapping: Mapping[str, Any], now: datetime
) -> MappingStatus:
    function = Arn.parse(mapping["FunctionArn"]).name
    age_ms = _highest(
        client("cloudwatch"), "AWS/Lambda", "IteratorAge", {"FunctionName": function}, now
    )
    age = None if age_ms is None else timedelta(milliseconds=age_ms)
    queue = _queue_status(client, name, mapping, now)
    state, result = mapping.get("State", ""), mapping.get("LastProcessingResult", "")
    return MappingStatus(
        logical_id=name,
        uuid=mapping["UUID"],
        function=function,
        table=Arn.parse(mapping["EventSourceArn"]).name,
        state=state,
        last_result=result,
        iterator_age=age,
        queue=queue,
        problems=(
            *_state_problems(mapping["UUID"], state),
            *_result_problems(function, result),
            *_age_problems(stack, age),
            *_queue_problems(stack, name, queue),
        ),
    )


def _state_problems(uuid: str, state: str) -> Iterator[StatusProblem]:
    if state not in _WORKING:
        yield StatusProblem(
            f"The mapping is {state or 'in an unknown state'}: nothing is processed, and stream "
            "records are trimmed after 24 hours.",
            f"aws lambda update-event-source-mapping --uuid {uuid} --enabled",
        )


def _result_problems(function: str, result: str) -> Iterator[StatusProblem]:
    if result.startswith("PROBLEM"):
        yield StatusProblem(
            f"The last result is {result!r}.",
            f"aws logs tail /aws/lambda/{function} --since 1h",
        )


def _age_problems(stack: str, age: timedelta | None) -> Iterator[StatusProblem]:
    if age is not None and age >= LATE:
        yield StatusProblem(
            f"The consumer is {_hours(age)} behind; stream records are trimmed after 24 h.",
            f"cdk-streams check --stack {stack}",
        )


def _queue_problems(
    stack: str, name: str, queue: FailureQueueStatus | None
) -> Iterator[StatusProblem]:
    if queue is not None and queue.waiting:
        many = f"{queue.waiting:,} failure record{'s' * (queue.waiting != 1)}"
        since = "" if queue.oldest is None else f", the oldest for {_hours(queue.oldest)}"
        yield StatusProblem(
            f"{many} {'waits' if queue.waiting == 1 else 'wait'} in {queue.name}{since}.",
            f"cdk-streams redrive --stack {stack} --consumer {name}",
        )


def _hours(length: timedelta) -> str:
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _queue_status(
    client: Client, name: str, mapping: Mapping[str, Any], now: datetime
) -> FailureQueueStatus | None:
    destination = destination_of(client, name, mapping)
    if not isinstance(destination, str):
        return None
    sqs, queue = client("sqs"), Arn.parse(destination).name
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue_url(sqs, destination), AttributeNames=counts)
    waiting = sum(int(found["Attributes"].get(each, 0)) for each in counts)
    oldest_s = None
    if waiting:
        oldest_s = _highest(
            client("cloudwatch"),
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": queue},
            now,
        )
    oldest = None if oldest_s is None else timedelta(seconds=oldest_s)
    return FailureQueueStatus(queue, waiting, oldest)


def _highest(
    cloudwatch: Any, namespace: str, metric: str, dimensions: Mapping[str, str], now: datetime
) -> float | None:
    """Return the highest value of the last minutes, None when there is none."""
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - _LOOK_BACK,
        EndTime=now,
        Period=_PERIOD_S,
        Statistics=["Maximum"],
    )
    return max((float(each["Maximum"]) for each in answer["Datapoints"]), default=None)


def _alarms(client: Client, stack: str) -> Iterator[str]:
    """Yield the names of the stack's alarms that are in ALARM."""
    names = [
        each["PhysicalResourceId"]
        for each in stack_resources(client("cloudformation"), stack)
        if each["ResourceType"] == _ALARM
    ]
    for start in range(0, len(names), _ALARMS_A_CALL):
        yield from _in_alarm(client("cloudwatch"), names[start : start + _ALARMS_A_CALL])


def _in_alarm(cloudwatch: Any, names: Sequence[str]) -> list[str]:
    answer = cloudwatch.describe_alarms(AlarmNames=list(names), StateValue="ALARM")
    return sorted(each["AlarmName"] for each in answer["MetricAlarms"])
