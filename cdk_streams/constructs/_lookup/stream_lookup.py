"""A table's stream found at deploy time: for tables of other stacks, regions and tools."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, CustomResource, Duration, Stack, Stage, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_streams.arns import Arn
from cdk_streams.constructs import _source
from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._keys import AnyKey
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs.function import newest_python
from cdk_streams.errors import SourceError

__all__ = ["look_up"]

_FUNCTION_ID: Final = "CdkStreamsLookUp"
_CODE: Final = Path(__file__).with_name("handler.py")
_TIMEOUT_S: Final = 60


def look_up(
    scope: Construct,
    construct_id: str,
    *,
    table_name: str,
    stream_view_type: dynamodb.StreamViewType | None,
    refresh: str,
    encryption_key: AnyKey | None,
) -> dynamodb.ITableV2:
    """Import the table of that name with the stream it has when the stack is deployed."""
    _check_name(table_name)
    expected: dict[str, str] = {}
    if stream_view_type is not None:
        expected["StreamViewType"] = _source.known_view_type(stream_view_type).value
    place = Construct(scope, construct_id)
    stack = Stack.of(place)
    table_arn = stack.format_arn(
        service="dynamodb",
        resource="table",
        resource_name=table_name,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    function = _function_of(stack)
    right = iam.Grant.add_to_principal(
        grantee=function, actions=["dynamodb:DescribeTable"], resource_arns=[table_arn]
    )
    found = CustomResource(
        place,
        "Stream",
        service_token=function.function_arn,
        resource_type="Custom::DynamoDBStream",
        # CloudFormation asks again when any of these changes, and only then.
        properties={"TableName": table_name, "Refresh": refresh, **expected},
        service_timeout=Duration.seconds(2 * _TIMEOUT_S),
    )
    right.apply_before(found)
    table = dynamodb.TableV2.from_table_attributes(
        place,
        "Table",
        table_arn=table_arn,
        table_stream_arn=found.get_att_string("StreamArn"),
        encryption_key=encryption_key,
    )
    registry = placement_of(scope).registry
    registry.look_ups[table] = table_name
    if stream_view_type is not None:
        registry.view_types[table] = stream_view_type
    return table


def _check_name(table_name: str) -> None:
    if not isinstance(table_name, str) or not table_name:
        raise SourceError(
            f"table_name must name a table of this account and region, got {table_name!r}; write "
            "its name as text"
        )
    if Token.is_unresolved(table_name):
        return
    if table_name.startswith("arn:"):
        raise SourceError(
            f"table_name must be a name, got the ARN {table_name!r}; pass "
            f"{Arn.parse(table_name).name!r} in a stack of the table's account and region"
        )


def _function_of(stack: Stack) -> lambda_.Function:
    """Return the stack's one function that looks streams up."""
    there = stack.node.try_find_child(_FUNCTION_ID)
    if isinstance(there, lambda_.Function):
        return there
    files = {"index.py": _CODE.read_bytes()}
    digest = staging.fingerprint(files)
    stage = Stage.of(stack)
    if stage is None:
        raise SourceError(
            "a look-up must stand in an App or Stage, got a stack in neither; create the Stack "
            "with an App as the scope"
        )
    folder = Path(stage.asset_outdir, "cdk-streams", digest)
    staging.write(files, folder)
    return lambda_.Function(
        stack,
        _FUNCTION_ID,
        code=lambda_.Code.from_asset(str(folder), asset_hash=digest),
        handler="index.handler",
        runtime=newest_python(),
        architecture=lambda_.Architecture.ARM_64,
        timeout=Duration.seconds(_TIMEOUT_S),
        description="cdk-streams: finds the latest stream of a table",
    )
