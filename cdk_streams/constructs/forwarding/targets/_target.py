"""What a forwarder asks of its target: permissions, and the variables that name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk_streams.constructs._keys import only_through
from cdk_streams.errors import SourceError

__all__ = ["ForwardTarget", "check_given", "grant", "grant_encryption", "variables"]


class ForwardTarget(Protocol):
    """A service that a `StreamForwarder` sends events to."""

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Grant the function what sending needs; return the variables that configure it."""


def variables(kind: str, target: str, **options: str | None) -> dict[str, str]:
    """Return the environment of a forwarder's function; lambda_runtime.forward documents it.

    Args:
        kind: The class of `lambda_runtime.forward`.
        target: The service's name, URL or ARN, as that class takes it.
        options: Further variables by the end of their names, such as `PREFIX`; None for none.

    """
    named = {"TYPE": kind, "TARGET": target, **options}
    return {f"STREAM_FORWARD_{name}": text for name, text in named.items() if text is not None}


def grant(function: lambda_.Function, action: str, resource_arn: str) -> None:
    """Allow one action on one resource."""
    iam.Grant.add_to_principal(grantee=function, actions=[action], resource_arns=[resource_arn])


def grant_encryption(function: lambda_.Function, key: Any, *, through: str) -> None:
    """Allow sending to what a KMS key encrypts; a resource without a key needs nothing.

    Args:
        function: Who sends.
        key: The resource's own key, or None.
        through: The service that uses the key, such as `sqs`.

    """
    if key is not None:
        only_through(through, key.grant(function, "kms:Decrypt", "kms:GenerateDataKey"))


def check_given(target: object, given: object, *, has: str, what: str) -> None:
    """Refuse a target that was given something else, before anything is created.

    Raises:
        SourceError: The given object has no attribute `has`.

    """
    if not hasattr(given, has):
        raise SourceError(
            f"targets.{type(target).__name__} must be given {what}, got {type(given).__name__}; "
            "pass the construct, or import one by its ARN"
        )
