"""Warnings that `Annotations` and `Validations` of CDK can both acknowledge."""

from __future__ import annotations

from aws_cdk import Annotations, Validations
from constructs import IConstruct

__all__ = ["add_warning"]


def add_warning(construct: IConstruct, rule: str, text: str) -> None:
    """Add a warning with an id, unless it is acknowledged on the construct or above it.

    A warning of `Validations` has another id, which `Annotations.acknowledge_warning` misses; so
    it is one of `Annotations`. aws-cdk-lib 2.257 keeps what `Validations` acknowledges to itself,
    so that is asked for here.
    """
    if not _is_acknowledged(construct, rule):
        Annotations.of(construct).add_warning_v2(rule, text)


def _is_acknowledged(construct: IConstruct, rule: str) -> bool:
    return any(
        entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        and rule in {name.rpartition("::")[2] for name in entry.data}
        for scope in construct.node.scopes
        for entry in scope.node.metadata
    )
