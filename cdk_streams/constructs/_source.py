"""The stream of a table: its ARN, what its records carry, and the right to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_streams.constructs._keys import only_through
from cdk_streams.constructs._registry import Placement, Registry
from cdk_streams.errors import SourceError

__all__ = [
    "READ_ACTIONS",
    "StreamSource",
    "grant_read",
    "known_view_type",
    "source_of",
]

READ_ACTIONS: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """One stream as a mapping needs it.

    `view_type` is None for a table of which the app says none; `key` is the table's own KMS key.
    """

    arn: str
    view_type: dynamodb.StreamViewType | None
    key: kms.IKey | None


def source_of(table: dynamodb.ITable, placement: Placement) -> StreamSource:
    """Return the stream of any table: `Table`, `TableV2`, `StreamTable` or an imported one.

    Raises:
        SourceError: It is no table, has no stream, or one whose ARN CDK does not know.

    """
    if not isinstance(table, Construct):
        raise SourceError(
            f"table must be a Table, a TableV2 or an import, got {type(table).__name__}; "
            "find it by name with StreamTable.look_up"
        )
    known, view_type = _defined_view_type(table, placement.registry)
    arn = table.table_stream_arn
    if arn is None and not known:
        raise SourceError(
            f"table must have a stream, but the import {table.node.path!r} names none; import it "
            "with StreamTable.look_up, or from_table_attributes(..., table_stream_arn=...)"
        )
    if arn is None or (known and view_type is None):
        raise SourceError(
            f"table must have a stream, but {table.node.path!r} has none; make it a StreamTable, "
            "or set dynamo_stream= (TableV2) or stream= (Table)"
        )
    if arn.endswith("/stream/*"):
        raise SourceError(
            f"table must have one stream, got the replica {table.node.path!r} whose stream CDK "
            "does not know; put the consumer into a stack of the replica's region, and find the "
            "table there with StreamTable.look_up"
        )
    return StreamSource(arn, view_type, table.encryption_key)


def grant_read(source: StreamSource, grantee: iam.IGrantable) -> list[iam.Grant]:
    """Let the grantee read the stream, and decrypt it under the table's own key.

    Lambda's guide lists `ListStreams` among the permissions that a mapping needs; on the stream's
    own ARN it is enough. (Lambda created mappings without it too, recorded on 2026-09-30.)
    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """
    grants = [
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[*READ_ACTIONS, "dynamodb:ListStreams"],
            resource_arns=[source.arn],
        )
    ]
    if source.key is not None:
        grants.append(only_through("dynamodb", source.key.grant_decrypt(grantee)))
    return grants


def known_view_type(given: dynamodb.StreamViewType) -> dynamodb.StreamViewType:
    """Return what was given; SourceError when it is no view type, such as its name as text."""
    if not isinstance(given, dynamodb.StreamViewType):
        raise SourceError(
            f"stream_view_type must be a StreamViewType, got {given!r}; "
            "import it from aws_cdk.aws_dynamodb"
        )
    return given


def _defined_view_type(
    table: dynamodb.ITable, registry: Registry
) -> tuple[bool, dynamodb.StreamViewType | None]:
    """Return whether this app defines the table, and the view type of its stream.

    TableV2 has a stream ARN in any case, so the resource itself is asked.
    """
    view_type = getattr(table, "stream_view_type", None) or registry.view_types.get(table)
    if view_type is not None:
        return True, view_type
    resource = table.node.default_child
    if not isinstance(resource, (dynamodb.CfnTable, dynamodb.CfnGlobalTable)):
        return False, None
    # The public property cannot be read from Python while CDK keeps it open for replicas.
    properties = resource._cfn_properties  # noqa: SLF001 - protected in CDK, open to subclasses
    stream = Stack.of(table).resolve(properties.get("streamSpecification")) or {}
    name = stream.get("streamViewType")
    return True, dynamodb.StreamViewType(name) if name else None
