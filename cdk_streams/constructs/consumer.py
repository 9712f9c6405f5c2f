"""`StreamConsumer`: a function that reads a table's stream, with what keeps it safe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_streams.constructs import _mapping, _source, failures
from cdk_streams.constructs._alarm_creation import check_alarms, create_alarms
from cdk_streams.constructs._consumer_view import AnyFunction
from cdk_streams.constructs._keys import AnyKey, grant_filter_decryption
from cdk_streams.constructs._mapping import Switch
from cdk_streams.constructs._permissions.consumer_grants import ConsumerGrants
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs._validation import function_checks
from cdk_streams.constructs._validation.findings import validate_at_synthesis
from cdk_streams.constructs.alarms import DEFAULT, Alarms
from cdk_streams.constructs.failures import (
    Failures,
    OnFailure,
    OnFailureChoice,
    RejectsChoice,
    required,
)
from cdk_streams.constructs.metrics import ConsumerMetrics
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


class StreamConsumer(ConsumerMetrics, Construct):
    """An event source mapping from a table's stream to a function, with what keeps it safe.

    Everything is CDK's own and exposed: `event_source_mapping`, `failure_queue` (or topic, or
    bucket), `alarms`, and `table`, `function` and `settings` as given.

    Args:
        scope: The parent construct.
        id: The construct id within that scope.
        table: Any table with a stream, an imported one too.
        function: The function, or an alias of it; its role is granted what reading the stream and
            sending to the failure destination need.
        on_failure: The destination of records that Lambda discards (retries or age exhausted): a
            queue, topic or bucket of the caller's, or an `OnFailure`. QUEUE creates one:
            encrypted, TLS only, retention of 14 days.
        rejects: The queue of records that a handler of `lambda_runtime` rejects (`Reject`), whole:
            a queue of the caller's, or `OnFailure.QUEUE`, which creates one. None: a rejected
            record is a failed record. Consumers that share a function share the queue.
        batch_size: Records in one invocation, at most; 1 to 10,000.
        max_batching_window: Time to gather a batch; 0 to 300 s.
        parallelization_factor: Concurrent batches per shard; 1 to 10.
        retry_attempts: Retries of a failed batch; None: until its records expire.
        max_record_age: Age at which records are sent to the destination unprocessed; 60 s to
            7 days.
        bisect_batch_on_error: Whether a failed batch is split in two, so that a bad record fails
            alone.
        report_batch_item_failures: Whether the function names the record that failed;
            `lambda_runtime` learns it from its environment.
        tumbling_window: Length of an aggregation window; 1 to 900 s.
        starting_position: TRIM_HORIZON (the oldest record kept) or LATEST, which misses what is
            written while the mapping is created or updated.
        filters: Patterns of which a record must match one: JSON text, a dict or a `Filter`.
        filter_encryption: The key that encrypts the filters; Lambda may decrypt with it.
        filter_quota: The account's quota of filters per mapping, 5 to 10.
        metrics: `["EventCount"]` publishes the mapping's own metrics, at a charge.
        enabled: Whether Lambda polls; a parameter of the stack leaves it to the deployment.
        tags: Tags of the mapping.
        alarms: Which alarms are created, at which thresholds; None creates none.

    Raises:
        SettingsError: Values that Lambda refuses; all of them in one error.
        FilterError: A filter that no record of the stream can match, or that every one does.
        SourceError: A table without a stream, or a FIFO queue.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        table: dynamodb.ITable,
        function: AnyFunction,
        on_failure: OnFailureChoice = OnFailure.QUEUE,
        rejects: RejectsChoice = None,
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
        filter_encryption: AnyKey | None = None,
        filter_quota: int = MAX_FILTERS,
        metrics: Sequence[MetricType] = (),
        enabled: Switch = True,
        tags: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        alarms: Alarms | None = DEFAULT,
    ) -> None:
        placement = placement_of(scope)
        source = _source.source_of(table, placement)
        failures.check_choice(on_failure)
        failures.check_rejects(rejects)
        check_alarms(alarms)
        # Each argument that is a setting goes into the settings as it is.
        settings = _mapping.settings_from_arguments(locals())
        view_type = source.view_type
        _mapping.check_filters(filters, settings.filters, view_type and view_type.value)
        function_arn = function_checks.check_function(function)
        reader = (function, function_arn, source.arn)
        others = placement.registry.consumers
        function_checks.check_beside(*reader, reports=report_batch_item_failures, others=others)
        function_checks.check_shared_rejects(function, rejects, others)
        parts = [*source.parts_of_policy(table), *failures.parts_of_policy(on_failure)]
        function_checks.check_stacks(function, placement, parts)
        super().__init__(scope, id)
        self._failures = failures.destination_of(self, on_failure)
        self._settings = replace(settings, on_failure=self._failures.arn)
        self._table, self._stream_arn = table, source.arn
        self._function, self._function_arn = function, function_arn
        if report_batch_item_failures:
            _mapping.set_partial_response(function)
        grants = []
        if function_checks.can_be_granted(function):
            grants = _source.grant_read(source, function)
            grants += failures.grant_delivery(self._failures, function)
        self._reject_queue = failures.reject_queue_of(self, rejects)
        if self._reject_queue is not None:
            _mapping.set_reject_queue(function, self._reject_queue.queue_url)
            grants += failures.grant_rejects(self._reject_queue, function)
        if filter_encryption is not None:
            grant_filter_decryption(filter_encryption, placement.stack)
        self._mapping = _mapping.new_mapping(self, source.arn, function, self._settings, enabled)
        # Lambda tests the permissions when the mapping is created.
        self._mapping.node.add_dependency(*grants)
        self._alarms = create_alarms(self, self, alarms)
        # Last: a consumer that failed on the way here must not count as a reader.
        placement.registry.consumers[self] = placement
        validate_at_synthesis(placement)

    @property
    def table(self) -> dynamodb.ITable:
        """The table, as given."""
        return self._table

    @property
    def function(self) -> AnyFunction:
        """The function, as given."""
        return self._function

    @property
    def function_arn(self) -> str:
        """The ARN of the function, or of the alias or version that was given."""
        return self._function_arn

    @property
    def stream_arn(self) -> str:
        """The ARN of the stream that is read, a token for a table of this app."""
        return self._stream_arn

    @property
    def settings(self) -> MappingSettings:
        """The settings of the mapping, as the value that the simulator takes."""
        return self._settings

    @property
    def event_source_mapping(self) -> lambda_.CfnEventSourceMapping:
        """The mapping; its `ref` is the UUID."""
        return self._mapping

    @property
    def failures(self) -> Failures:
        """The on-failure destination: its queue, topic and bucket, each of which may be None."""
        return self._failures

    @property
    def failure_queue(self) -> sqs.IQueue:
        """The queue of failure records; SourceError if there is none."""
        return required(self._failures.queue, "queue", self.node.path)

    @property
    def failure_topic(self) -> sns.ITopic:
        """The topic that failure records are sent to; SourceError if there is none."""
        return required(self._failures.topic, "topic", self.node.path)

    @property
    def failure_bucket(self) -> s3.IBucket:
        """The bucket of failed records; SourceError if there is none."""
        return required(self._failures.bucket, "bucket", self.node.path)

    @property
    def rejects(self) -> sqs.IQueue | None:
        """The queue of rejected records, None without one."""
        return self._reject_queue

    @property
    def reject_queue(self) -> sqs.IQueue:
        """The queue of rejected records; SourceError if there is none."""
        return required(self._reject_queue, "reject queue", self.node.path)

    @property
    def grants(self) -> ConsumerGrants:
        """What the commands that people run may do: `consumer.grants.redrive(role)`."""
        return ConsumerGrants(self)

    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms by construct id, such as `IteratorAgeAlarm`."""
        return self._alarms
