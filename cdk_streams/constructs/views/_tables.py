"""The tables of a view: what its source and target must be, and the table of marks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import CfnResource, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_streams.constructs._keys import only_through
from cdk_streams.constructs._props import ConsumerOptions
from cdk_streams.constructs._registry import placement_of
from cdk_streams.constructs._source import source_of
from cdk_streams.errors import SettingsError, SourceError
from cdk_streams.filters import Filter

__all__ = ["check_options", "check_source", "check_target", "grant_write", "marks_of"]

_MARKS: Final = "ViewMarks"
_EXPIRES_AT: Final = "_stream_expires_at"
_TARGET_ACTIONS: Final = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_MARKS_ACTIONS: Final = ("dynamodb:BatchGetItem", "dynamodb:PutItem")


def check_source(scope: Construct, source: dynamodb.ITable) -> None:
    """Refuse a source whose stream lacks new images."""
    view_type = source_of(source, placement_of(scope)).view_type
    kinds = dynamodb.StreamViewType
    if view_type not in (None, kinds.NEW_IMAGE, kinds.NEW_AND_OLD_IMAGES):
        raise SourceError(
            f"source must have a stream of NEW_IMAGE or NEW_AND_OLD_IMAGES, got {view_type.value}: "
            "a view reads new images; set stream_view_type on the table"
        )


def check_options(options: ConsumerOptions) -> None:
    """Refuse options that would make the view wrong.

    Raises:
        SettingsError: A window, or a filter on more than keys.

    """
    if options.get("tumbling_window") is not None:
        raise SettingsError(
            "tumbling_window must be left out of a view, which keeps its numbers in the target; "
            "use View(group_by=...) with the time in the group"
        )
    given: Any = options.get("filters", ())
    if isinstance(given, (str, Mapping, Filter)):
        return  # one pattern in place of a list of them: the consumer says so
    options["filters"] = filters = [*given]
    if any(not _asks_for_keys_alone(each) for each in filters):
        raise SettingsError(
            "filters of a view must ask for keys alone, as Filter.any_event(Keys('pk').eq('a')) "
            "does: it must see every change of an item; use where= of the View for the rest"
        )


def check_target(scope: Construct, source: dynamodb.ITable, target: dynamodb.ITable) -> None:
    """Refuse a target that is no table, the source, kept by another view, or elsewhere."""
    if not isinstance(target, Construct):
        raise SourceError(
            f"target must be a table of CDK's, got {type(target).__name__}; import one with "
            "TableV2.from_table_arn"
        )
    if target is source or target.table_arn == source.table_arn:
        raise SourceError(
            f"target must be another table than the source, got {source.node.path!r} as both"
        )
    if target.node.try_find_child(_MARKS) is not None:
        raise SourceError(
            f"target must be kept by one view, got {target.node.path!r}, which another one keeps; "
            "give each view a table of its own"
        )
    here, there = Stack.of(scope), target.env
    for name, ours, its in (
        ("account", here.account, there.account),
        ("Region", here.region, there.region),
    ):
        if ours != its and not (Token.is_unresolved(ours) or Token.is_unresolved(its)):
            raise SourceError(
                f"target must be in the {name} of the view, {ours}, got {its}: a transaction does "
                "not reach further; put a TableReplica behind the view's table"
            )


def marks_of(target: dynamodb.ITable) -> dynamodb.TableV2:
    """Create the table of marks in the scope of the target, as safe and as lasting as that."""
    assert isinstance(target, Construct)  # noqa: S101 - for the type checker: it was checked
    key = target.encryption_key
    if key is not None and Token.is_unresolved(Stack.of(target).region):
        raise SettingsError(
            f"the stack of {target.node.path!r} must name its Region, because the marks of a view "
            "are encrypted with the target's key; pass env=Environment(region=...) to the stack"
        )
    marks = dynamodb.TableV2(
        target,
        _MARKS,
        partition_key=dynamodb.Attribute(name="item", type=dynamodb.AttributeType.STRING),
        time_to_live_attribute=_EXPIRES_AT,
        encryption=(None if key is None else dynamodb.TableEncryptionV2.customer_managed_key(key)),
    )
    theirs, ours = target.node.default_child, marks.node.default_child
    if isinstance(theirs, CfnResource) and isinstance(ours, CfnResource):
        ours.cfn_options.deletion_policy = theirs.cfn_options.deletion_policy
        ours.cfn_options.update_replace_policy = theirs.cfn_options.update_replace_policy
    return marks


def grant_write(function: iam.IGrantable, target: dynamodb.ITable, marks: dynamodb.ITable) -> None:
    """Let the function write transactions of both tables, and read marks."""
    for table, actions in ((target, _TARGET_ACTIONS), (marks, _MARKS_ACTIONS)):
        iam.Grant.add_to_principal(
            grantee=function, actions=[*actions], resource_arns=[table.table_arn]
        )
    if target.encryption_key is not None:
        only_through("dynamodb", target.encryption_key.grant_encrypt_decrypt(function))


def _asks_for_keys_alone(given: Any) -> bool:
    """Tell whether a pattern reads keys alone; what is no pattern, the consumer refuses."""
    if isinstance(given, Mapping) and set(given) == {"pattern"}:
        given = given["pattern"]
    text = given.text if isinstance(given, Filter) else given
    try:
        pattern = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return True
    if not isinstance(pattern, Mapping):
        return True
    body = pattern.get("dynamodb", {})
    return pattern.keys() <= {"dynamodb"} and isinstance(body, Mapping) and body.keys() <= {"Keys"}
