"""KMS keys: who may use them, and through which service."""

from __future__ import annotations

from typing import TypeAlias

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_streams.errors import SourceError

__all__ = ["AnyKey", "check_key", "grant_filter_decryption", "only_through"]

AnyKey: TypeAlias = kms.IKey | kms.Key
"""A KMS key; CDK's class fits its interface in mypy, but not in pyright."""


def check_key(key: AnyKey | None) -> None:
    """Refuse what is no key of CDK's, such as its ARN."""
    if key is not None and not isinstance(key, Construct):
        raise SourceError(
            f"filter_encryption must be a KMS Key construct, got {type(key).__name__}; "
            "import it with aws_kms.Key.from_key_arn"
        )


def only_through(service: str, grant: iam.Grant) -> iam.Grant:
    """Limit the use of a key to requests that an AWS service makes, such as `dynamodb`.

    The value of the condition is `dynamodb.eu-west-1.amazonaws.com`; partitions end differently.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
    """
    for statement in (*grant.principal_statements, *grant.resource_statements):
        statement.add_conditions({"StringLike": {"kms:ViaService": f"{service}.*"}})
    return grant


def grant_filter_decryption(key: AnyKey, stack: Stack) -> None:
    """Let Lambda's service decrypt the filters of functions of this account and region.

    The statement is in the key's policy: no role of ours decrypts them. The encryption context
    is the one that Lambda encrypts with; the function's own ARN would be a circle where the same
    key encrypts its environment.
    https://docs.aws.amazon.com/lambda/latest/dg/security-encryption-at-rest.html
    """
    functions = stack.format_arn(
        service="lambda",
        resource="function",
        resource_name="*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    context = {"kms:EncryptionContext:aws:lambda:FunctionArn": functions}
    service = iam.ServicePrincipal("lambda.amazonaws.com", conditions={"ArnLike": context})
    key.grant_decrypt(service)
