"""CloudWatch metrics of a consumer: of its stream, its mapping, its function and its queue.

Each method returns CDK's own `Metric` with a period of one minute and takes CDK's options:
`consumer.metric_errors(period=Duration.minutes(5))`.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack

from aws_cdk import Duration, Fn, Token
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_streams.constructs._consumer_view import ConsumerView, function_behind
from cdk_streams.constructs.failures import required
from cdk_streams.errors import SettingsError

__all__ = ["ConsumerMetrics", "MetricOptions", "minutes", "stream_throttles"]

_STREAM_LABEL: Final = 3  # arn:aws:dynamodb:region:account:table/Orders/stream/<label>


RouterMetric: TypeAlias = Literal["Records", "Handled", "Failed", "Rejected", "Lag", "Latency"]


class MetricOptions(TypedDict, total=False):
    """Keyword arguments that every metric takes, as `aws_cloudwatch.MetricOptions` names them."""

    account: str | None
    color: str | None
    dimensions_map: Mapping[str, str] | None
    id: str | None
    label: str | None
    period: Duration | None
    region: str | None
    stack_account: str | None
    stack_region: str | None
    statistic: str | None
    unit: cloudwatch.Unit | None
    visible: bool | None


@cache
def minutes(number: int) -> Duration:
    """Return a duration; made once, because each costs a call to Node."""
    return Duration.minutes(number)


class ConsumerMetrics:
    """The `metric_…` methods of `StreamConsumer`; those below "EventCount" need that metric on."""

    def metric_iterator_age(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Age of the last record of a batch when Lambda read it, in ms; maximum."""
        return _function_metric(self, "IteratorAge", "Maximum", options)

    def metric_invocations(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Invocations of the function, failed ones included; sum."""
        return _function_metric(self, "Invocations", "Sum", options)

    def metric_errors(self: ConsumerView, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Invocations that failed as a whole; a partial response counts as success; sum."""
        return _function_metric(self, "Errors", "Sum", options)

    def metric_throttles(self: ConsumerView, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Invocations that were throttled for lack of concurrency; sum."""
        return _function_metric(self, "Throttles", "Sum", options)

    def metric_duration(self: ConsumerView, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Duration of an invocation, in ms; maximum."""
        return _function_metric(self, "Duration", "Maximum", options)

    def metric_delivery_failures(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Failure records that Lambda could not deliver to their destination; sum."""
        return _function_metric(self, "DestinationDeliveryFailures", "Sum", options)

    def metric_failure_queue_depth(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Messages in the failure queue; maximum. SourceError if there is no queue."""
        queue = required(self.failures.queue, "queue", self.node.path)
        return queue.metric_approximate_number_of_messages_visible(**_chosen("Maximum", options))

    def metric_failure_queue_age(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Age of the oldest message in the failure queue, in seconds; maximum.

        SourceError if there is no queue.
        """
        queue = required(self.failures.queue, "queue", self.node.path)
        return queue.metric_approximate_age_of_oldest_message(**_chosen("Maximum", options))

    def metric_reject_queue_depth(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Messages in the reject queue; maximum. SourceError if there is no such queue."""
        queue = required(self.rejects, "reject queue", self.node.path)
        return queue.metric_approximate_number_of_messages_visible(**_chosen("Maximum", options))

    def metric_stream_records(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that all readers of the stream received together; sum."""
        return _stream_metric(self, "ReturnedRecordsCount", options)

    def metric_stream_bytes(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Bytes that all readers of the stream received together; sum."""
        return _stream_metric(self, "ReturnedBytes", options)

    def metric_of_router(
        self: ConsumerView,
        name: RouterMetric,
        *,
        namespace: str,
        route: str | None = None,
        **options: Unpack[MetricOptions],
    ) -> cloudwatch.Metric:
        """A metric that `Router(metrics=namespace)` writes; the sum, in ms the maximum.

        `name` is Records, Handled, Failed, Rejected, or Lag or Latency in ms. `route` is the name
        of a handler, such as `placed`, which has Handled, Failed and Rejected.
        """
        statistic = "Maximum" if name in ("Lag", "Latency") else "Sum"
        dimensions = {"FunctionName": function_behind(self.function).function_name}
        if route is not None:
            dimensions["Route"] = route
        return _metric(namespace, name, dimensions, {"statistic": statistic} | options)

    # Lambda publishes the following with metrics=["EventCount"] only.

    def metric_polled_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that Lambda read, 0 for an empty poll; sum."""
        return _mapping_metric(self, "PolledEventCount", options)

    def metric_filtered_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that matched no filter; sum."""
        return _mapping_metric(self, "FilteredOutEventCount", options)

    def metric_invoked_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that the function was invoked with, counted again at every retry; sum."""
        return _mapping_metric(self, "InvokedEventCount", options)

    def metric_failed_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records of failed invocations and those a partial response failed; sum."""
        return _mapping_metric(self, "FailedInvokeEventCount", options)

    def metric_dropped_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that were discarded and not delivered to a destination; sum."""
        return _mapping_metric(self, "DroppedEventCount", options)

    def metric_delivered_events(
        self: ConsumerView, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Records that were discarded and delivered to the destination; sum."""
        return _mapping_metric(self, "OnFailureDestinationDeliveredEventCount", options)


def _chosen(statistic: str, options: MetricOptions) -> MetricOptions:
    return {"statistic": statistic, "period": minutes(1)} | options


def _function_metric(
    consumer: ConsumerView, name: str, statistic: str, options: MetricOptions
) -> cloudwatch.Metric:
    return consumer.function.metric(name, **_chosen(statistic, options))


def _mapping_metric(consumer: ConsumerView, name: str, options: MetricOptions) -> cloudwatch.Metric:
    if "EventCount" not in consumer.settings.metrics:
        raise SettingsError(
            f"metrics must be ['EventCount'] for Lambda to count {name}, "
            f"got {list(consumer.settings.metrics)}; pass it to the StreamConsumer"
        )
    mapping = {"EventSourceMappingUUID": consumer.event_source_mapping.ref}
    return _metric("AWS/Lambda", name, mapping, options)


def stream_throttles(consumer: ConsumerView, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Reads of the table's streams that DynamoDB throttled, of all readers together; sum.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    """
    stream = {"TableName": consumer.table.table_name, "Operation": "GetRecords"}
    return _metric("AWS/DynamoDB", "ThrottledRequests", stream, options)


def _stream_metric(consumer: ConsumerView, name: str, options: MetricOptions) -> cloudwatch.Metric:
    arn = consumer.stream_arn
    stream = {
        "TableName": consumer.table.table_name,
        "Operation": "GetRecords",
        "StreamLabel": Fn.select(_STREAM_LABEL, Fn.split("/", arn))
        if Token.is_unresolved(arn)
        else arn.split("/")[_STREAM_LABEL],
    }
    return _metric("AWS/DynamoDB", name, stream, options)


def _metric(
    namespace: str, name: str, dimensions: dict[str, str], options: MetricOptions
) -> cloudwatch.Metric:
    chosen: dict[str, Any] = {"dimensions_map": dimensions, **_chosen("Sum", options)}
    return cloudwatch.Metric(namespace=namespace, metric_name=name, **chosen)
