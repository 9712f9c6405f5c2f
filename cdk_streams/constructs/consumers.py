"""`StreamConsumer`: a function that reads a table's stream, with what keeps it safe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from aws_cdk import CfnTag
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.constructs import alarms, failures, sources
from cdk_streams.errors import SourceError
from cdk_streams.mapping import MAX_FILTERS, MappingSettings, Pattern, Seconds, StartingPosition
from cdk_streams.mapping.values import MetricName

__all__ = ["MAX_RECORD_AGE", "RETRY_ATTEMPTS", "StreamConsumer"]

RETRY_ATTEMPTS: Final = 10
"""Lambda waits 0.2 s and then twice as long each time: over three minutes of a target's outage."""
MAX_RECORD_AGE: Final = timedelta(hours=18)
"""Leaves six hours of DynamoDB's 24 in which a failed record can still be read back."""
AnyFunction: TypeAlias = lambda_.IFunction | lambda_.FunctionBase
"""A function or an alias; CDK's classes fit its interface in mypy, but not in pyright."""
_PARTIAL_RESPONSE: Final = "STREAM_PARTIAL_RESPONSE"
_TOLD: Final = WeakKeyDictionary[lambda_.Function, bool]()


class StreamConsumer(Construct):
    """Lets a function handle the changes of a table, batch after batch, in order.

    Everything is CDK's own and exposed: `event_source_mapping`, `failure_queue`, `alarms`, and
    `table`, `function` and `settings` as given.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        table: Any table with a stream, an imported one too.
        function: The function, or an alias of it; its role gets the rights that reading the
            stream and sending to the failure queue need.
        on_failure: A queue of the caller's for records that failed for good; left out, one is
            made: encrypted, TLS only, kept for 14 days.
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
        filter_encryption: The key that encrypts the filters.
        filter_quota: The account's quota of filters a mapping, 5 to 10.
        metrics: `["EventCount"]` publishes the mapping's own metrics, at a charge.
        enabled: Whether Lambda polls.
        tags: Tags of the mapping.

    Raises:
        SettingsError: Values that Lambda refuses; all of them in one error.
        SourceError: A table without a stream, or a FIFO queue.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 -- CDK's name for it
        *,
        table: dynamodb.ITable,
        function: AnyFunction,
        on_failure: sqs.IQueue | None = None,
        batch_size: int = 100,
        max_batching_window: Seconds = 0,
        parallelization_factor: int = 1,
        retry_attempts: int | None = RETRY_ATTEMPTS,
        max_record_age: Seconds | None = MAX_RECORD_AGE,
        bisect_batch_on_error: bool = True,
        report_batch_item_failures: bool = True,
        tumbling_window: Seconds | None = None,
        starting_position: StartingPosition | lambda_.StartingPosition = "TRIM_HORIZON",
        filters: Iterable[Pattern] = (),
        filter_encryption: kms.IKey | None = None,
        filter_quota: int = MAX_FILTERS,
        metrics: Sequence[MetricName] = (),
        enabled: bool = True,
        tags: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        source = sources.source_of(table)
        if on_failure is not None:
            failures.refuse_fifo(on_failure)
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
            enabled=enabled,
            tags=tags,
        )
        super().__init__(scope, id)
        queue = failures.new_queue(self) if on_failure is None else on_failure
        settings = replace(settings, on_failure=queue.queue_arn)
        grants = sources.grant_read(source, function) + failures.grant_send(queue, function)
        _tell_runtime(function, reports=report_batch_item_failures)
        self._table, self._function, self._settings = table, function, settings
        self._failure_queue = queue
        self._mapping = _mapping(self, source.arn, function, settings)
        for grant in grants:
            # Lambda tests the rights when the mapping is made.
            grant.apply_before(self._mapping)
        self._alarms = alarms.add_alarms(self, alarms.Watched(settings, function, queue))

    @property
    def table(self) -> dynamodb.ITable:
        """The table, as given."""
        return self._table

    @property
    def function(self) -> AnyFunction:
        """The function, as given."""
        return self._function

    @property
    def settings(self) -> MappingSettings:
        """What Lambda is told, as the value that the simulator takes."""
        return self._settings

    @property
    def event_source_mapping(self) -> lambda_.CfnEventSourceMapping:
        """The mapping; its `ref` is the UUID."""
        return self._mapping

    @property
    def failure_queue(self) -> sqs.IQueue:
        """The queue of records that failed for good."""
        return self._failure_queue

    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms by construct id, such as `IteratorAgeAlarm`."""
        return self._alarms

    def metric_iterator_age(self) -> cloudwatch.Metric:
        """Return how far the function is behind the stream: milliseconds, the most a minute."""
        return alarms.iterator_age(self._function)


def _mapping(
    scope: Construct, stream_arn: str, function: AnyFunction, settings: MappingSettings
) -> lambda_.CfnEventSourceMapping:
    """Create the mapping from the settings as `to_template` writes them."""
    prop = settings.to_template().get
    cfn = lambda_.CfnEventSourceMapping
    destination, filters, metrics = (
        prop("DestinationConfig"),
        prop("FilterCriteria"),
        prop("MetricsConfig"),
    )
    return cfn(
        scope,
        "Mapping",
        event_source_arn=stream_arn,
        function_name=function.function_arn,
        starting_position=prop("StartingPosition"),
        batch_size=prop("BatchSize"),
        parallelization_factor=prop("ParallelizationFactor"),
        maximum_retry_attempts=prop("MaximumRetryAttempts"),
        maximum_record_age_in_seconds=prop("MaximumRecordAgeInSeconds"),
        maximum_batching_window_in_seconds=prop("MaximumBatchingWindowInSeconds"),
        tumbling_window_in_seconds=prop("TumblingWindowInSeconds"),
        bisect_batch_on_function_error=prop("BisectBatchOnFunctionError"),
        enabled=prop("Enabled"),
        function_response_types=prop("FunctionResponseTypes"),
        kms_key_arn=prop("KmsKeyArn"),
        destination_config=destination
        and cfn.DestinationConfigProperty(
            on_failure=cfn.OnFailureProperty(destination=destination["OnFailure"]["Destination"])
        ),
        filter_criteria=filters
        and cfn.FilterCriteriaProperty(
            filters=[cfn.FilterProperty(pattern=each["Pattern"]) for each in filters["Filters"]]
        ),
        metrics_config=metrics and cfn.MetricsConfigProperty(metrics=metrics["Metrics"]),
        tags=[CfnTag(key=tag["Key"], value=tag["Value"]) for tag in prop("Tags", ())] or None,
    )


def _tell_runtime(function: AnyFunction, *, reports: bool) -> None:
    """Set the variable by which lambda_runtime knows that its partial answers are read."""
    if isinstance(function, (lambda_.Alias, lambda_.Version)):
        _tell_runtime(function.lambda_, reports=reports)
    elif isinstance(function, lambda_.Function):
        if _TOLD.setdefault(function, reports) != reports:
            raise SourceError(
                "report_batch_item_failures must be the same in every consumer of one function, "
                f"got both for {function.node.path!r}; where it is off, Lambda would take a "
                "partial answer for success"
            )
        if reports:
            function.add_environment(_PARTIAL_RESPONSE, "1")
