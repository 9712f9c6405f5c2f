"""`StreamDashboard`: writes → stream → function → failures, a row for each consumer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from aws_cdk import Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_streams.constructs import metrics
from cdk_streams.constructs._alarm_specs import timeout_ms
from cdk_streams.constructs._consumer_view import function_behind
from cdk_streams.constructs.consumer import StreamConsumer
from cdk_streams.errors import SettingsError
from cdk_streams.mapping import STREAM_RETENTION

__all__ = ["StreamDashboard"]

_QUARTER: Final = 6
_HALF: Final = 12
_FULL: Final = 24
_HEIGHT: Final = 6
_STATUS_HEIGHT: Final = 3
_TITLE_HEIGHT: Final = 1
_COMMANDS_HEIGHT: Final = 2
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
# The runtime's own lines (docs/runtime.md): records and batches that were not handled, and pauses.
_QUERY: Final = [
    "fields @timestamp, message, route, error_type, sequence_number, lag_s",
    "filter message like /^stream (record|batch|pause) /",
    "sort @timestamp desc",
    "limit 50",
]
_MOST_ALARMS: Final = 100  # An alarm widget takes no more.
_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")


class StreamDashboard(Construct):
    """Shows consumers on one page: what is written, read, handled and failed, left to right.

    On top stand the commands to run and the consumers' alarms; then, for each table, its writes
    and what its stream's readers get; then two rows for each consumer of it: calls, duration, lag
    and failures, then concurrency and the newest log lines of records that were not handled.
    Metrics are plain but for the age of the last record, which is in hours.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        consumers: What is shown, at least one, in this order; consumers of one table side by side.
        dashboard_name: Its name in CloudWatch; left out, CloudFormation makes one.

    Raises:
        SettingsError: No consumer.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        consumers: Sequence[StreamConsumer],
        dashboard_name: str | None = None,
    ) -> None:
        consumers = _checked(consumers)
        super().__init__(scope, id)
        rows = [[_commands(self)]]
        rows += [_alarms(consumers)] if any(each.alarms for each in consumers) else []
        for group in _by_table(consumers):
            rows += [_title(group[0].table), _table(group[0])]
            rows += [row for each in group for row in (_consumer(each), _inside(each))]
        self._dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=dashboard_name, widgets=rows
        )

    @property
    def dashboard(self) -> cloudwatch.Dashboard:
        """The dashboard; widgets can be added to it."""
        return self._dashboard


def _checked(consumers: Any) -> list[StreamConsumer]:
    """Return the consumers as a list; SettingsError for what is none."""
    if isinstance(consumers, (str, Construct)) or not isinstance(consumers, Iterable):
        raise SettingsError(
            f"consumers must be a list of StreamConsumers, got {type(consumers).__name__}; "
            "put it into a list"
        )
    members = list(consumers)
    if wrong := [each for each in members if not isinstance(each, StreamConsumer)]:
        raise SettingsError(
            f"consumers must be StreamConsumers, got {type(wrong[0]).__name__} among them; "
            "leave it out"
        )
    if not members:
        raise SettingsError("consumers must name at least one StreamConsumer, got none; add one")
    return members


def _by_table(consumers: Sequence[StreamConsumer]) -> list[list[StreamConsumer]]:
    groups: dict[str, list[StreamConsumer]] = {}
    for each in consumers:
        groups.setdefault(each.table.node.path, []).append(each)
    return list(groups.values())


def _alarms(consumers: Sequence[StreamConsumer]) -> list[cloudwatch.IWidget]:
    alarms = [alarm for each in consumers for alarm in each.alarms.values()]
    return [
        cloudwatch.AlarmStatusWidget(
            title="Alarms", alarms=alarms[:_MOST_ALARMS], width=_FULL, height=_STATUS_HEIGHT
        )
    ]


def _commands(scope: Construct) -> cloudwatch.IWidget:
    name = Stack.of(scope).stack_name
    stack = "STACK" if Token.is_unresolved(name) else name
    text = (
        f"`cdk-streams status {stack}`: what is wrong, and the command to run next. "
        f"`cdk-streams redrive --stack {stack}`: what failed for good; with `--yes`, handle it "
        "again. The runbook of each alarm: docs/alarms.md"
    )
    return cloudwatch.TextWidget(markdown=text, width=_FULL, height=_COMMANDS_HEIGHT)


def _title(table: dynamodb.ITable) -> list[cloudwatch.IWidget]:
    text = f"## {table.node.id}: {table.table_name}"
    return [cloudwatch.TextWidget(markdown=text, width=_FULL, height=_TITLE_HEIGHT)]


def _table(consumer: StreamConsumer) -> list[cloudwatch.IWidget]:
    table = consumer.table
    writes: list[cloudwatch.IMetric] = [
        cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name="SuccessfulRequestLatency",
            statistic="SampleCount",
            period=metrics.minutes(1),
            dimensions_map={"TableName": table.table_name, "Operation": operation},
            label=operation,
        )
        for operation in _WRITES
    ]
    capacity = table.metric_consumed_write_capacity_units(
        statistic="Sum", period=metrics.minutes(1), label="write units"
    )
    records = consumer.metric_stream_records(label="records")
    size = consumer.metric_stream_bytes(label="bytes")
    throttled = metrics.stream_throttles(consumer, label="throttled reads")
    return [
        _graph("Writes", writes, width=_HALF, right=[capacity], labels=("requests", "units")),
        _graph(
            "Stream: got by all readers",
            [records, throttled],
            width=_HALF,
            right=[size],
            labels=("records", "bytes"),
        ),
    ]


def _consumer(consumer: StreamConsumer) -> list[cloudwatch.IWidget]:
    name = consumer.node.id
    calls: list[cloudwatch.IMetric] = [
        consumer.metric_invocations(label="calls"),
        consumer.metric_errors(label="failed"),
        consumer.metric_throttles(label="throttled"),
    ]
    return [
        _graph(f"{name}: calls", calls, labels=("calls", "")),
        _graph(
            f"{name}: duration",
            [
                consumer.metric_duration(statistic="p50", label="median"),
                consumer.metric_duration(statistic="p99", label="99th percentile"),
            ],
            labels=("ms", ""),
            lines=_line("timeout", timeout_ms(consumer)),
        ),
        _age(consumer),
        _failures(consumer),
    ]


def _age(consumer: StreamConsumer) -> cloudwatch.IWidget:
    """The age of the last record in hours, under the hour at which records are lost."""
    lines = _line("24 h: records are lost", STREAM_RETENTION / _HOUR)
    alarm = consumer.alarms.get("IteratorAgeAlarm")
    if alarm is not None:
        cfn = alarm.node.default_child
        assert isinstance(cfn, cloudwatch.CfnAlarm)  # noqa: S101 - for the type checker; CDK's own
        age = timedelta(milliseconds=cfn.threshold or 0)
        hours, minutes = divmod(round(age / _MINUTE), 60)
        lines += _line(f"alarm: {hours} h {minutes} min", age / _HOUR)
    hours_old = cloudwatch.MathExpression(
        expression=f"age / {_HOUR / timedelta(milliseconds=1):.0f}",
        using_metrics={"age": consumer.metric_iterator_age()},
        period=metrics.minutes(1),
        label="age",
    )
    title = f"{consumer.node.id}: age of the last record"
    return _graph(title, [hours_old], labels=("hours", ""), lines=lines)


def _inside(consumer: StreamConsumer) -> list[cloudwatch.IWidget]:
    """The row of what its function does: concurrency, and records that were not handled."""
    name, function = consumer.node.id, function_behind(consumer.function)
    cfn = function.node.default_child
    reserve = log_group = None
    if isinstance(cfn, lambda_.CfnFunction):
        reserve = cfn.reserved_concurrent_executions
        log_group = getattr(cfn.logging_config, "log_group", None)
    running = consumer.function.metric(
        "ConcurrentExecutions", statistic="Maximum", period=metrics.minutes(1), label="at once"
    )
    return [
        _graph(
            f"{name}: concurrency",
            [running],
            labels=("calls", ""),
            lines=_line("reserve", reserve),
        ),
        cloudwatch.LogQueryWidget(
            title=f"{name}: records that were not handled",
            log_group_names=[log_group or f"/aws/lambda/{function.function_name}"],
            query_lines=_QUERY,
            width=_FULL - _QUARTER,
            height=_HEIGHT,
        ),
    ]


def _failures(consumer: StreamConsumer) -> cloudwatch.IWidget:
    left: list[cloudwatch.IMetric] = [consumer.metric_delivery_failures(label="not delivered")]
    right: list[cloudwatch.IMetric] = []
    if consumer.failures.queue is not None:
        left.insert(0, consumer.metric_failure_queue_depth(label="in the queue"))
        right.append(consumer.metric_failure_queue_age(label="oldest"))
    if consumer.rejects is not None:
        left.append(consumer.metric_reject_queue_depth(label="rejected"))
    if "EventCount" in consumer.settings.metrics:
        left += [
            consumer.metric_failed_events(label="failed records"),
            consumer.metric_delivered_events(label="discarded, delivered"),
            consumer.metric_dropped_events(label="discarded, lost"),
        ]
    title = f"{consumer.node.id}: failures"
    return _graph(title, left, right=right, labels=("records", "s"))


def _line(label: str, value: float | None) -> list[cloudwatch.HorizontalAnnotation]:
    return [] if value is None else [cloudwatch.HorizontalAnnotation(label=label, value=value)]


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    *,
    labels: tuple[str, str],
    right: Sequence[cloudwatch.IMetric] = (),
    lines: Sequence[cloudwatch.HorizontalAnnotation] = (),
    width: int = _QUARTER,
) -> cloudwatch.GraphWidget:
    def axis(label: str) -> cloudwatch.YAxisProps:
        return cloudwatch.YAxisProps(label=label, min=0, show_units=False)

    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right) or None,
        left_y_axis=axis(labels[0]),
        right_y_axis=axis(labels[1]) if right else None,
        left_annotations=list(lines) or None,
        width=width,
        height=_HEIGHT,
    )
