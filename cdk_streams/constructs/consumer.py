"""`StreamConsumer`: a function that reads a table's stream, with what keeps it safe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.constructs import _filter_criteria, _mapping, _source, failures
from cdk_streams.constructs import metrics as metric
from cdk_streams.constructs._mapping import AnyFunction, Switch
from cdk_streams.constructs._validation.findings import advise
from cdk_streams.constructs.alarms import DEFAULT, Alarms, add_alarms
from cdk_streams.constructs.alarms import check as check_alarms
from cdk_streams.constructs.failures import Failures, OnFailure, OnFailureChoice
from cdk_streams.errors import SourceError
from cdk_streams.mapping import (
    MAX_FILTERS,
    MappingSettings,
    MetricType,
    Pattern,
    Seconds,
    StartingPosition,
)
from cdk_streams.mapping.presets import SAFE

__all__ = ["StreamConsumer"]

_Made = TypeVar("_Made")


class StreamConsumer(Construct):
    """Lets a function handle the changes of a table, batch after batch, in order.

    Everything is CDK's own and exposed: `event_source_mapping`, `failure_queue` (or topic, or
    bucket), `alarms`, and `table`, `function` and `settings` as given.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        table: Any table with a stream, an imported one too.
        function: The function, or an alias of it; its role gets the rights that reading the
            stream and sending to the failure queue need.
        on_failure: Where records go that failed for good: a queue, topic or bucket of the
            caller's, or an `OnFailure`. QUEUE makes one: encrypted, TLS only, kept for 14 days.
        batch_size: Records in one invocation, at most; 1 to 10,000.
        max_batching_window: Time to gather a batch; 0 to 300 s.
        parallelization_factor: Batches of one shard in flight at once; 1 to 10.
        retry_attempts: Calls of a failed record after its first; None: until it expires.
        max_record_age: Records older than this go to the failure queue unhandled; 60 s to 7 days.
        bisect_batch_on_error: Whether a failed batch is halved, so that one record fails alone.
        report_batch_item_failures: Whether the function names the record that failed;
            `lambda_runtime` is told through its environment.
        tumbling_window: Length of an aggregation window; 1 to 900 s.
        starting_position: TRIM_HORIZON (the oldest record kept) or LATEST, which misses what is
            written while the mapping is made or changed.
        filters: Patterns of which a record must match one: JSON text, a dict or a `Filter`.
        filter_encryption: The key that encrypts the filters; Lambda may decrypt with it.
        filter_quota: The account's quota of filters a mapping, 5 to 10.
        metrics: `["EventCount"]` publishes the mapping's own metrics, at a charge.
        enabled: Whether Lambda polls; a parameter of the stack leaves it to the deployment.
        tags: Tags of the mapping.
        alarms: Which alarms are made and when they ring; None makes none.

    Raises:
        SettingsError: Values that Lambda refuses; all of them in one error.
        FilterError: A filter that no record of the stream can match, or that every one does.
        SourceError: A table without a stream, or a FIFO queue.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 -- CDK's name for it
        *,
        table: dynamodb.ITable,
        function: AnyFunction,
        on_failure: OnFailureChoice = OnFailure.QUEUE,
        batch_size: int = 100,
        max_batching_window: Seconds = 0,
        parallelization_factor: int = 1,
        retry_attempts: int | None = SAFE["retry_attempts"],
        max_record_age: Seconds | None = SAFE["max_record_age"],
        bisect_batch_on_error: bool = True,
        report_batch_item_failures: bool = True,
        tumbling_window: Seconds | None = None,
        starting_position: StartingPosition | lambda_.StartingPosition = "TRIM_HORIZON",
        filters: Iterable[Pattern] = (),
        filter_encryption: _source.AnyKey | None = None,
        filter_quota: int = MAX_FILTERS,
        metrics: Sequence[MetricType] = (),
        enabled: Switch = True,
        tags: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        alarms: Alarms | None = DEFAULT,
    ) -> None:
        source = _source.source_of(table)
        failures.check(on_failure)
        check_alarms(alarms)
        _source.check_key(filter_encryption)
        filters = _filter_criteria.unwrap(filters)
        position: Any = getattr(starting_position, "value", starting_position)
        settings = MappingSettings(
            batch_size=batch_size,
            max_batching_window=max_batching_window,
            parallelization_factor=parallelization_factor,
            retry_attempts=retry_attempts,
            max_record_age=max_record_age,
            bisect_batch_on_error=bisect_batch_on_error,
            report_batch_item_failures=report_batch_item_failures,
            tumbling_window=tumbling_window,
            starting_position=position,
            filters=filters,
            filter_encryption_key=None if filter_encryption is None else filter_encryption.key_arn,
            filter_quota=filter_quota,
            metrics=metrics,
            enabled=_mapping.known_now(enabled),
            tags=tags,
        )
        view_type = source.view_type
        _filter_criteria.refuse_traps(filters, settings.filters, view_type and view_type.value)
        _mapping.refuse_twice(function, source.arn)
        _mapping.tell_runtime(function, reports=report_batch_item_failures)
        super().__init__(scope, id)
        self._failures = failures.destination(self, on_failure)
        self._settings = replace(settings, on_failure=self._failures.arn)
        self._table, self._function, self._stream_arn = table, function, source.arn
        grants = _source.grant_read(source, function)
        grants += failures.grant_delivery(self._failures, function)
        if filter_encryption is not None:
            _mapping.let_lambda_decrypt(filter_encryption)
        self._mapping = _mapping.new_mapping(self, source.arn, function, self._settings, enabled)
        # Lambda tests the rights when the mapping is made.
        self._mapping.node.add_dependency(*grants)
        self._alarms = add_alarms(self, alarms)
        advise(self, scope)

    @property
    def table(self) -> dynamodb.ITable:
        """The table, as given."""
        return self._table

    @property
    def function(self) -> AnyFunction:
        """The function, as given."""
        return self._function

    @property
    def stream_arn(self) -> str:
        """The ARN of the stream that is read, a token for a table of this app."""
        return self._stream_arn

    @property
    def settings(self) -> MappingSettings:
        """What Lambda is told, as the value that the simulator takes."""
        return self._settings

    @property
    def event_source_mapping(self) -> lambda_.CfnEventSourceMapping:
        """The mapping; its `ref` is the UUID."""
        return self._mapping

    @property
    def failures(self) -> Failures:
        """The destination of what failed for good: its queue, topic and bucket, or None."""
        return self._failures

    @property
    def failure_queue(self) -> sqs.IQueue:
        """The queue that is told what failed for good; SourceError if there is none."""
        return _made(self._failures.queue, "queue", self)

    @property
    def failure_topic(self) -> sns.ITopic:
        """The topic that is told what failed for good; SourceError if there is none."""
        return _made(self._failures.topic, "topic", self)

    @property
    def failure_bucket(self) -> s3.IBucket:
        """The bucket that gets the records that failed for good; SourceError if there is none."""
        return _made(self._failures.bucket, "bucket", self)

    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms by construct id, such as `IteratorAgeAlarm`."""
        return self._alarms

    metric_iterator_age = metric.iterator_age
    metric_invocations = metric.invocations
    metric_errors = metric.errors
    metric_throttles = metric.throttles
    metric_duration = metric.duration
    metric_delivery_failures = metric.delivery_failures
    metric_failure_queue_depth = metric.failure_queue_depth
    metric_failure_queue_age = metric.failure_queue_age
    metric_stream_records = metric.stream_records
    metric_stream_bytes = metric.stream_bytes
    # What follows is counted where metrics=["EventCount"] is on.
    metric_polled_events = metric.polled_events
    metric_filtered_events = metric.filtered_events
    metric_invoked_events = metric.invoked_events
    metric_failed_events = metric.failed_events
    metric_dropped_events = metric.dropped_events
    metric_delivered_failures = metric.delivered_failures


def _made(found: _Made | None, kind: str, consumer: Construct) -> _Made:
    if found is None:
        raise SourceError(
            f"the consumer {consumer.node.path!r} has no failure {kind}; "
            "on_failure= chooses where failed records go"
        )
    return found
