"""`StreamForwarder`: a consumer that sends each change of a table to another service."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_streams.constructs._bundle.shipped_handlers import options_of_function, shipped_entry
from cdk_streams.constructs._props import ConsumerOptions, FunctionOptions
from cdk_streams.constructs.consumer import StreamConsumer
from cdk_streams.constructs.forwarding.targets._messages import EventBus
from cdk_streams.constructs.forwarding.targets._target import ForwardTarget, grant, grant_encryption
from cdk_streams.constructs.function import StreamFunction
from cdk_streams.errors import SettingsError, SourceError

__all__ = ["StreamForwarder"]


class StreamForwarder(StreamConsumer):
    """Sends each change of a table to another service as a CloudEvent.

    It is a `StreamConsumer` with a function of its own, named `<id>Function` beside it: filters,
    alarms, the failure queue, redrive, local runs and the simulator work as for any consumer. One
    forwarder is one reader of the stream, whatever number of subscribers its target has.

    Args:
        scope: The parent construct.
        id: The construct id within that scope.
        table: Any table with a stream, an imported one too.
        target: Where events go: one of `cdk_streams.targets`.
        source: The events' `source`, a URI reference such as `shop.orders`; None means the ARN of
            the table.
        schema: The URI of the schema of the events' `data`; None means the library's own.
        large_events: A bucket for the data of events that are too large for the target; None
            leaves the images of such an event out.
        function_options: Options of the function: those of `aws_lambda.Function`.
        options: Options of the consumer: those of `StreamConsumer`.

    Raises:
        SettingsError: Values that Lambda or EventBridge refuses; all of them in one error.
        SourceError: A table without a stream, or a target that is none of `cdk_streams.targets`.

    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        table: dynamodb.ITable,
        target: ForwardTarget,
        source: str | None = None,
        schema: str | None = None,
        large_events: s3.IBucket | s3.Bucket | None = None,
        function_options: FunctionOptions | None = None,
        **options: Unpack[ConsumerOptions],
    ) -> None:
        if not hasattr(target, "bind"):
            raise SourceError(
                f"target must be one of cdk_streams.targets, got {type(target).__name__}; "
                "wrap the service, as in targets.EventBus(bus)"
            )
        _check_values(target, source, schema, large_events)
        function = StreamFunction(
            scope,
            f"{id}Function",
            entry=shipped_entry(scope, "forward"),
            index="forward.py",
            **options_of_function(function_options),
        )
        super().__init__(scope, id, table=table, function=function, **options)
        for name, text in target.bind(function).items():
            function.add_environment(name, text)
        if source is not None:
            function.add_environment("STREAM_FORWARD_SOURCE", source)
        if schema is not None:
            function.add_environment("STREAM_FORWARD_SCHEMA", schema)
        if large_events is not None:
            function.add_environment("STREAM_FORWARD_LARGE_EVENTS", large_events.bucket_name)
            grant(function, "s3:PutObject", large_events.arn_for_objects("*"))
            grant_encryption(function, large_events.encryption_key, through="s3")

    @property
    def function(self) -> StreamFunction:
        """The function that forwards."""
        function = super().function
        assert isinstance(function, StreamFunction)  # noqa: S101 - for the type checker: made above
        return function


def _check_values(
    target: ForwardTarget, source: str | None, schema: str | None, large_events: object
) -> None:
    faults = [
        f"{name} must be the text of a URI, got {given!r}; leave it out for the default"
        for name, given in (("source", source), ("schema", schema))
        if given is not None and (not isinstance(given, str) or not given)
    ]
    if isinstance(target, EventBus) and isinstance(source, str) and source.startswith("aws."):
        faults.append(
            f"source must not begin with 'aws.', which EventBridge keeps for AWS, got {source!r}; "
            "name your application, as in 'shop.orders'"
        )
    if large_events is not None and not hasattr(large_events, "bucket_name"):
        faults.append(
            f"large_events must be a bucket of aws_s3, got {type(large_events).__name__}; import "
            "one with aws_s3.Bucket.from_bucket_name"
        )
    if faults:
        raise SettingsError(*faults)
