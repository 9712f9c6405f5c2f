"""What alarms, metrics and validation need of a consumer.

`StreamConsumer` uses those modules, so they cannot import it; they ask for this protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Node

from cdk_streams.constructs.failures import Failures
from cdk_streams.mapping import MappingSettings

__all__ = ["AnyFunction", "ConsumerView", "function_behind"]

AnyFunction: TypeAlias = lambda_.IFunction | lambda_.FunctionBase
"""A function or an alias; CDK's classes fit its interface in mypy, but not in pyright."""


class ConsumerView(Protocol):
    """A consumer as its alarms, metrics and checks see it; docs of each at `StreamConsumer`."""

    @property
    def node(self) -> Node: ...
    @property
    def table(self) -> dynamodb.ITable: ...
    @property
    def function(self) -> AnyFunction: ...
    @property
    def function_arn(self) -> str: ...
    @property
    def stream_arn(self) -> str: ...
    @property
    def settings(self) -> MappingSettings: ...
    @property
    def event_source_mapping(self) -> lambda_.CfnEventSourceMapping: ...
    @property
    def failures(self) -> Failures: ...
    @property
    def rejects(self) -> sqs.IQueue | None: ...
    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]: ...


def function_behind(function: AnyFunction) -> AnyFunction:
    """Return the function itself where an alias or a version of it was given."""
    if isinstance(function, (lambda_.Alias, lambda_.Version)):
        return function.lambda_
    return function
