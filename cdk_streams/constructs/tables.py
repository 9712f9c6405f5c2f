"""`StreamTable`: a DynamoDB table with a stream."""

from __future__ import annotations

from typing import Any, Unpack

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cdk_streams.constructs.options import TableOptions
from cdk_streams.errors import SourceError

__all__ = ["StreamTable"]


class StreamTable(dynamodb.TableV2):
    """A `TableV2` whose stream is on; nothing else about the table differs.

    The constructs inside keep CDK's ids, so `TableV2(...)` in an app can become `StreamTable(...)`
    and the table keeps its logical id, its properties and its data. No default of TableV2 is
    changed for the same reason: ask for point-in-time recovery and deletion protection as ever.

    Args:
        scope: The construct it belongs to.
        id: Its name in that scope.
        partition_key: As TableV2 takes it.
        stream_view_type: What a record carries: both images by default, since a later change
            makes a new stream and consumers must be cut over. A table with replicas needs both.
        dynamo_stream: TableV2's own name for `stream_view_type`; give one of them.
        options: Everything else that TableV2 takes.

    Raises:
        SourceError: Two view types, or one that replicas cannot work with.

    """

    stream_view_type: dynamodb.StreamViewType

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 -- the name CDK gives it, so that TableV2(...) can be replaced
        *,
        partition_key: dynamodb.Attribute | dict[str, Any],
        stream_view_type: dynamodb.StreamViewType | None = None,
        dynamo_stream: dynamodb.StreamViewType | None = None,
        **options: Unpack[TableOptions],
    ) -> None:
        both = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
        if stream_view_type and dynamo_stream and stream_view_type != dynamo_stream:
            raise SourceError(
                f"stream_view_type and dynamo_stream must agree, got {stream_view_type.value} and "
                f"{dynamo_stream.value}; leave dynamo_stream out"
            )
        view_type = stream_view_type or dynamo_stream or both
        if not isinstance(view_type, dynamodb.StreamViewType):
            raise SourceError(
                f"stream_view_type must be a StreamViewType, got {view_type!r}; "
                "import it from aws_cdk.aws_dynamodb"
            )
        if options.get("replicas") and view_type != both:
            raise SourceError(
                "stream_view_type must be NEW_AND_OLD_IMAGES on a table with replicas, "
                f"got {view_type.value}; DynamoDB replicates through this stream"
            )
        super().__init__(scope, id, partition_key=partition_key, dynamo_stream=view_type, **options)
        self.stream_view_type = view_type
