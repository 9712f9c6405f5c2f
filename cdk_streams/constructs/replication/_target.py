"""The target of a replica: its name, Region, key attributes and encryption key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_streams._argument_checks import list_of_names
from cdk_streams.errors import SettingsError, SourceError

__all__ = [
    "WRITE_ACTIONS",
    "WRITE_KEY_ACTIONS",
    "AnyRole",
    "Target",
    "grant_write",
    "key_names",
    "target_of",
]

AnyRole: TypeAlias = iam.IRole | iam.Role | str
"""A role to assume, or its ARN."""
WRITE_ACTIONS = ("dynamodb:PartiQLInsert", "dynamodb:PutItem")
"""What a replica does to its target: new items are inserted, 25 a request, others are put."""
WRITE_KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey*",
    "kms:DescribeKey",
)
"""What DynamoDB needs of the caller to write a table that is encrypted with a customer's key.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A table to write.

    `region` is None for that of the function; `keys` is empty where they are the source's.
    """

    name: str
    arn: str
    keys: tuple[str, ...]
    region: str | None
    encryption_key: kms.IKey | None


def target_of(
    scope: Construct,
    source: dynamodb.ITable,
    target: dynamodb.ITable | str,
    *,
    region: str | None,
    keys: Sequence[str],
    transforms: bool,
) -> Target:
    """Describe the target of a replica.

    Raises:
        SourceError: The target is the source, or no table.
        SettingsError: Its key attributes are not known or not those of the source.

    """
    keys = list_of_names("target_keys", keys, what="key attributes")
    if isinstance(target, str):
        _check_name(target)
        region = region or Stack.of(scope).region
        arn = Stack.of(scope).format_arn(
            service="dynamodb",
            resource="table",
            resource_name=target,
            region=region,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        found = Target(target, arn, tuple(keys), region, None)
        is_source = arn == source.table_arn
    elif isinstance(target, Construct):
        known = key_names(target)
        if keys and known and tuple(keys) != known:
            raise SettingsError(
                f"target_keys must be those of the table, {', '.join(known)}, got "
                f"{', '.join(keys)}; leave target_keys out"
            )
        home = target.env.region
        found = Target(
            target.table_name,
            target.table_arn,
            tuple(keys) or known,
            region or (None if Token.is_unresolved(home) else home),
            target.encryption_key,
        )
        is_source = target is source or target.table_arn == source.table_arn
    else:
        raise SourceError(
            f"target must be a table of CDK's or a table's name, got {type(target).__name__}; "
            "import one with TableV2.from_table_arn"
        )
    if is_source:
        raise SourceError(
            f"target must be another table than the source, got {source.node.path!r} as both"
        )
    return _with_keys(found, key_names(source), transforms=transforms)


def _check_name(target: str) -> None:
    if target and not target.startswith("arn:"):
        return
    raise SourceError(
        f"target must be a table of CDK's or a table's name, got {target!r}; import the table of "
        "an ARN with TableV2.from_table_arn, or pass its name with region= and role="
    )


def grant_write(function: iam.IGrantable, target: Target, key: kms.IKey | None) -> None:
    """Let the function put and insert items, and use the key that encrypts the target."""
    iam.Grant.add_to_principal(
        grantee=function, actions=list(WRITE_ACTIONS), resource_arns=[target.arn]
    )
    used = key or target.encryption_key
    if used is not None:
        used.grant(function, *WRITE_KEY_ACTIONS)


def key_names(table: dynamodb.ITable) -> tuple[str, ...]:
    """Return the key attributes of a table that this app defines; empty for an imported one."""
    resource = table.node.default_child
    if not isinstance(resource, (dynamodb.CfnTable, dynamodb.CfnGlobalTable)):
        return ()
    # The public property cannot be read from Python while CDK keeps it open for replicas.
    schema = Stack.of(table).resolve(resource._cfn_properties.get("keySchema")) or ()  # noqa: SLF001 - protected in CDK, open to subclasses
    in_order = sorted(schema, key=lambda each: each["keyType"] != "HASH")
    return tuple(each["attributeName"] for each in in_order)


def _with_keys(target: Target, source: tuple[str, ...], *, transforms: bool) -> Target:
    if transforms and not target.keys:
        raise SettingsError(
            "target_keys must name the target's key attributes when items are transformed, got "
            f"none for {target.name}; pass target_keys=('pk',)"
        )
    if not transforms and target.keys and source and target.keys != source:
        raise SettingsError(
            f"the target must have the source's key attributes, {', '.join(source)}, got "
            f"{', '.join(target.keys)}; give a transform that makes items with other keys"
        )
    return target
