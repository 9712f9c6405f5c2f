"""`StreamTable`: a DynamoDB table with a stream."""

from __future__ import annotations

from typing import Any, Unpack

from aws_cdk import CfnElement
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_streams._documentation import page
from cdk_streams.constructs._keys import AnyKey, only_through
from cdk_streams.constructs._lookup.stream_lookup import look_up
from cdk_streams.constructs._props import TableOptions
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs._source import READ_ACTIONS, known_view_type
from cdk_streams.constructs._validation.last_template import last_resources
from cdk_streams.constructs._validation.warnings import add_warning
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
            makes a new stream and consumers must be cut over. A table with replicas needs both,
            unless they are strongly consistent: those are not replicated through the stream.
        dynamo_stream: TableV2's own name for `stream_view_type`; give one of them.
        options: Everything else that TableV2 takes.

    Raises:
        SourceError: Two view types, or one that replicas cannot work with.

    """

    stream_view_type: dynamodb.StreamViewType

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - the name CDK gives it, so that TableV2(...) can be replaced
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
        known_view_type(view_type)
        strong = options.get("multi_region_consistency") is dynamodb.MultiRegionConsistency.STRONG
        if options.get("replicas") and not strong and view_type != both:
            raise SourceError(
                "stream_view_type must be NEW_AND_OLD_IMAGES on a table with replicas, "
                f"got {view_type.value}; DynamoDB replicates through this stream"
            )
        super().__init__(scope, id, partition_key=partition_key, dynamo_stream=view_type, **options)
        self.stream_view_type = view_type
        _warn_of_a_new_stream(self, scope)

    def share_stream(self, reader: iam.IPrincipal | iam.PrincipalBase) -> None:
        """Let a principal of another account read the stream, and decrypt it.

        The reader's side is an import with the stream's ARN, and a consumer as ever:

            orders.share_stream(iam.AccountPrincipal("111122223333"))

            theirs = TableV2.from_table_attributes(self, "Orders", table_arn=…, table_stream_arn=…)
            StreamConsumer(self, "Audit", table=theirs, function=function)

        Deploy the table's side first: Lambda tests the right to read when it makes the mapping.
        A role can be named as the reader once it exists, its account at any time.
        """
        self.add_to_stream_resource_policy(
            iam.PolicyStatement(
                principals=[reader],
                actions=list(READ_ACTIONS),
                # In a policy on the stream itself: its ARN would be a circle.
                resources=["*"],
            )
        )
        if self.encryption_key is not None:
            only_through("dynamodb", self.encryption_key.grant_decrypt(reader))

    @staticmethod
    def look_up(
        scope: Construct,
        id: str,  # noqa: A002 - CDK's name for it
        *,
        table_name: str,
        stream_view_type: dynamodb.StreamViewType | None = None,
        refresh: str = "",
        encryption_key: AnyKey | None = None,
    ) -> dynamodb.ITableV2:
        """Import a table of this account and region with the stream it has at deploy time.

        For a table of another stack or tool, and for the replica of a global table in the region
        of this stack. The stack that owns the table exports nothing, so its stream can change.

        Args:
            scope: The construct it belongs to.
            id: Its name in that scope.
            table_name: The table's name, best as plain text: a name taken from a construct of
                another stack makes CDK export that name.
            stream_view_type: What the table's stream carries. Consumers' filters are checked
                against it, and a deployment that finds another one fails; None checks neither.
            refresh: Any text; change it after the stream was replaced, and the next deployment
                looks again and moves the consumers to the new stream.
            encryption_key: The table's own KMS key, if it has one: consumers may then decrypt.

        """
        return look_up(
            scope,
            id,
            table_name=table_name,
            stream_view_type=stream_view_type,
            refresh=refresh,
            encryption_key=encryption_key,
        )


def _warn_of_a_new_stream(table: StreamTable, scope: Construct) -> None:
    """Compare with the template of the last synthesis, where its output folder still has one."""
    placement = placement_of(scope)
    stack, template = placement.stack, placement.last_template
    if not (before := last_resources(template)):
        return
    resource = table.node.default_child
    if not isinstance(resource, CfnElement):
        return
    properties = before.get(stack.get_logical_id(resource), {}).get("Properties", {})
    was = properties.get("StreamSpecification", {}).get("StreamViewType")
    if was not in (None, table.stream_view_type.value):
        add_warning(
            table,
            "cdk-streams:NewStream",
            f"stream_view_type was {was} and becomes {table.stream_view_type.value}: DynamoDB "
            "closes the stream and makes a new one, and consumers lose what they have not read. "
            "Stop the writers, wait until each consumer's iterator age is 0, deploy, start the "
            "writers; tables looked up elsewhere need a new refresh= too. See "
            f"{page('checks', 'NewStream')}",
        )
