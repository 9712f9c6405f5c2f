"""The metrics of a consumer, a method of `StreamConsumer` each: its stream, mapping and function.

Each is CDK's own `Metric`, a minute long, and takes CDK's options:
`consumer.metric_errors(period=Duration.minutes(5))`.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from aws_cdk import Duration, Fn, Token
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_streams.errors import SettingsError

if TYPE_CHECKING:
    from cdk_streams.constructs.consumer import StreamConsumer

__all__ = [
    "MetricOptions",
    "delivered_failures",
    "delivery_failures",
    "dropped_events",
    "duration",
    "errors",
    "failed_events",
    "failure_queue_age",
    "failure_queue_depth",
    "filtered_events",
    "invocations",
    "invoked_events",
    "iterator_age",
    "minutes",
    "polled_events",
    "stream_bytes",
    "stream_records",
    "throttles",
]

_STREAM_LABEL: Final = 3  # arn:aws:dynamodb:region:account:table/Orders/stream/<label>


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


def iterator_age(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return how far the function is behind its stream: milliseconds, the most a minute."""
    return _function_metric(self, "IteratorAge", "Maximum", options)


def invocations(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the calls of the function, those that failed too."""
    return _function_metric(self, "Invocations", "Sum", options)


def errors(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the calls that failed whole: a partial failure is no error to Lambda."""
    return _function_metric(self, "Errors", "Sum", options)


def throttles(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the calls that found no concurrency free."""
    return _function_metric(self, "Throttles", "Sum", options)


def duration(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the time of a call: milliseconds, the longest a minute."""
    return _function_metric(self, "Duration", "Maximum", options)


def delivery_failures(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the failure records that did not reach their destination, and are lost."""
    return _function_metric(self, "DestinationDeliveryFailures", "Sum", options)


def failure_queue_depth(
    self: StreamConsumer, **options: Unpack[MetricOptions]
) -> cloudwatch.Metric:
    """Return the messages in the failure queue; SourceError if there is no queue."""
    return self.failure_queue.metric_approximate_number_of_messages_visible(
        **_chosen("Maximum", options)
    )


def failure_queue_age(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the age of the oldest failure in seconds; SourceError if there is no queue."""
    return self.failure_queue.metric_approximate_age_of_oldest_message(
        **_chosen("Maximum", options)
    )


def polled_events(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that were read; 0 for a poll that found none."""
    return _mapping_metric(self, "PolledEventCount", options)


def filtered_events(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that matched no filter."""
    return _mapping_metric(self, "FilteredOutEventCount", options)


def invoked_events(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that the function was called with, again at every retry."""
    return _mapping_metric(self, "InvokedEventCount", options)


def failed_events(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records of failed calls, of partial failures too."""
    return _mapping_metric(self, "FailedInvokeEventCount", options)


def dropped_events(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that failed for good and reached no destination."""
    return _mapping_metric(self, "DroppedEventCount", options)


def delivered_failures(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that failed for good and reached the destination."""
    return _mapping_metric(self, "OnFailureDestinationDeliveredEventCount", options)


def stream_records(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the records that all readers of the stream got."""
    return _stream_metric(self, "ReturnedRecordsCount", options)


def stream_bytes(self: StreamConsumer, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
    """Return the bytes that all readers of the stream got."""
    return _stream_metric(self, "ReturnedBytes", options)


def _chosen(statistic: str, options: MetricOptions) -> MetricOptions:
    return {"statistic": statistic, "period": minutes(1)} | options


def _function_metric(
    consumer: StreamConsumer, name: str, statistic: str, options: MetricOptions
) -> cloudwatch.Metric:
    return consumer.function.metric(name, **_chosen(statistic, options))


def _mapping_metric(
    consumer: StreamConsumer, name: str, options: MetricOptions
) -> cloudwatch.Metric:
    if "EventCount" not in consumer.settings.metrics:
        raise SettingsError(
            f"metrics must be ['EventCount'] for Lambda to count {name}, "
            f"got {list(consumer.settings.metrics)}; pass it to the StreamConsumer"
        )
    mapping = {"EventSourceMappingUUID": consumer.event_source_mapping.ref}
    return _metric("AWS/Lambda", name, mapping, options)


def _stream_metric(
    consumer: StreamConsumer, name: str, options: MetricOptions
) -> cloudwatch.Metric:
    arn = consumer.event_source_mapping.event_source_arn or ""
    known = not Token.is_unresolved(arn)
    stream = {
        "TableName": consumer.table.table_name,
        "Operation": "GetRecords",
        "StreamLabel": arn.split("/")[_STREAM_LABEL]
        if known
        else Fn.select(_STREAM_LABEL, Fn.split("/", arn)),
    }
    return _metric("AWS/DynamoDB", name, stream, options)


def _metric(
    namespace: str, name: str, dimensions: dict[str, str], options: MetricOptions
) -> cloudwatch.Metric:
    chosen: dict[str, Any] = {"dimensions_map": dimensions, **_chosen("Sum", options)}
    return cloudwatch.Metric(namespace=namespace, metric_name=name, **chosen)
