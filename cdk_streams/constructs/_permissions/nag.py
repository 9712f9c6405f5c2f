"""cdk-nag's findings about what consumers create, acknowledged with their reasons.

docs/security.md has the table of all findings; these are the ones that a consumer itself causes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from cdk_streams.constructs._consumer_view import ConsumerView, function_behind
from cdk_streams.constructs._registry import placement_of
from cdk_streams.mapping import FAILURE_OBJECTS

__all__ = ["nag_acknowledgements"]

_LOGS: Final = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AWSLambdaBasicExecutionRole]"
)
_REASONS: Final = {
    "AwsSolutions-SQS3": "A queue of records that failed is where dead letters end.",
    "AwsSolutions-S1": "Access logs need a bucket of their own, which an account has once.",
    _LOGS: "CDK's default for every function: writing logs.",
}
_OBJECTS_REASON: Final = (
    f"{FAILURE_OBJECTS} is the prefix below which Lambda writes failure records; it names the "
    "objects."
)


def nag_acknowledgements(scope: IConstruct) -> dict[str, list[str]]:
    """Acknowledge cdk-nag's findings about what the consumers in the scope have created.

    These are the failure and reject queues without a dead-letter queue, failure buckets without
    access logs, the managed policy for logs of a consumer's function, and the right to write below
    `aws/lambda/` of a bucket of the app. Call it when the consumers are made. A queue or bucket of
    the caller's, and everything else, is left to the caller.

    Returns:
        The rules that were acknowledged, by the path of the construct.

    """
    registry = placement_of(scope).registry
    made: dict[str, list[str]] = {}
    inside = {each.node.path for each in scope.node.find_all()}
    for consumer in registry.consumers:
        if consumer.node.path not in inside:
            continue
        for construct, rule, reason in _known(consumer):
            rules = made.setdefault(construct.node.path, [])
            if rule not in rules:
                Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
                rules.append(rule)
    return made


def _known(consumer: ConsumerView) -> Iterator[tuple[IConstruct, str, str]]:
    """Yield each construct with the rule that it breaks, and why that stands."""
    for name in ("FailureQueue", "RejectQueue", "FailureBucket"):
        made = consumer.node.try_find_child(name)
        if made is not None:
            rule = "AwsSolutions-S1" if name == "FailureBucket" else "AwsSolutions-SQS3"
            yield made, rule, _REASONS[rule]
    function, bucket = function_behind(consumer.function), consumer.failures.bucket
    if not isinstance(function, lambda_.Function):
        return
    yield function, _LOGS, _REASONS[_LOGS]
    cfn = None if bucket is None else bucket.node.default_child
    if isinstance(cfn, s3.CfnBucket):
        name = Stack.of(cfn).get_logical_id(cfn)
        yield (
            function,
            f"AwsSolutions-IAM5[Resource::<{name}.Arn>/{FAILURE_OBJECTS}*]",
            _OBJECTS_REASON,
        )
