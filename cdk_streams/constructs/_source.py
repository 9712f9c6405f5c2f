"""The stream of a table: its ARN, what its records carry, and the permission to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_streams.arns import Arn
from cdk_streams.constructs._keys import only_through
from cdk_streams.constructs._registry import Placement, Registry, placement_of
from cdk_streams.errors import SourceError

__all__ = ["READ_ACTIONS", "StreamSource", "grant_read", "known_view_type", "source_of"]

READ_ACTIONS: Final = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
)
_EXAMPLE: Final = "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders/stream/2026-…"


@dataclass(frozen=True, slots=True)
class StreamSource:
    """One stream as a mapping needs it.

    `view_type` is None for a table of which the app says none; `key` is the table's own KMS key.
    """

    arn: str
    view_type: dynamodb.StreamViewType | None
    key: kms.IKey | None

    def parts_of_policy(self, table: dynamodb.ITable) -> list[dynamodb.ITable]:
        """Return the table, where it is of this app, so that the role's policy refers to it."""
        return [table] if Token.is_unresolved(self.arn) else []


def source_of(table: dynamodb.ITable, placement: Placement) -> StreamSource:
    """Return the stream of any table: `Table`, `TableV2`, `StreamTable` or an imported one.

    `placement` is that of the consumer.

    Raises:
        SourceError: It is no table, has no stream, or one that Lambda cannot read from there.

    """
    _check_table(table)
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
    region = placement_of(table).region
    if not Token.is_unresolved(arn):
        region = _checked(arn, table).region
    if not {region, placement.region} & {None} and region != placement.region:
        raise SourceError(
            f"table must have its stream in {placement.region}, the region of the consumer's "
            f"stack, got {table.node.path!r} in {region}; Lambda reads streams of its own region "
            f"only: put consumer and function into a stack of {region}"
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


def _check_table(table: Any) -> None:
    """Refuse what is no table, with the way to make one of it."""
    if isinstance(table, Construct) and hasattr(table, "table_stream_arn"):
        return
    got, instead = type(table).__name__, "find it by name with StreamTable.look_up"
    if isinstance(table, (dynamodb.CfnTable, dynamodb.CfnGlobalTable)):
        instead = (
            "import it: aws_dynamodb.Table.from_table_attributes(..., "
            "table_arn=table.attr_arn, table_stream_arn=table.attr_stream_arn)"
        )
    elif isinstance(table, lambda_.FunctionBase):
        got, instead = "a function", "table= and function= are swapped"
    raise SourceError(f"table must be a Table, a TableV2 or an import, got {got}; {instead}")


def _checked(arn: str, table: dynamodb.ITable) -> Arn:
    """Return the parts of an ARN that the app spells out, found to be the table's own stream."""
    try:
        parts = Arn.parse(arn)
    except SourceError:
        parts = Arn("", "", "", "", "")
    resource = parts.resource.split("/")
    if parts.service != "dynamodb" or resource[0] != "table" or resource[2:3] != ["stream"]:
        what = "the ARN of a table" if parts.service == "dynamodb" else "that of something else"
        if not parts.service:
            what = "no ARN"
        raise SourceError(
            f"table_stream_arn must be the ARN of a DynamoDB stream, such as {_EXAMPLE}, "
            f"got {what}: {arn!r}; DescribeTable names it LatestStreamArn"
        )
    name = table.table_name
    if not Token.is_unresolved(name) and name != parts.name:
        raise SourceError(
            f"table_stream_arn must be of the table {name!r}, got the stream of {parts.name!r}; "
            "a consumer reads the table that it is given"
        )
    return parts


def _defined_view_type(
    table: dynamodb.ITable, registry: Registry
) -> tuple[bool, dynamodb.StreamViewType | None]:
    """Return whether this app defines the stream, and its view type.

    TableV2 has a stream ARN in any case, so the resource itself is asked. The stream of a replica
    in another account follows its source table, unless its own resource says something.
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
    follows = type(table).__name__ == "TableV2MultiAccountReplica" and name is None
    return not follows, dynamodb.StreamViewType(name) if name else None
