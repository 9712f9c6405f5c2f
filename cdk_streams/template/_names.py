"""What a deployed resource is called, and its ARN, as far as a template tells.

A resource without a name of its own is called by its logical id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cdk_streams.mapping import TableStream

if TYPE_CHECKING:
    from cdk_streams.template._intrinsics import Resolver

__all__ = ["TABLE_TYPES", "attribute", "name_of", "pseudo_parameters", "reference"]

TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")

# Type: the property with the name, and the ARN's parts after `arn:aws:`.
_ARNS = {
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::DynamoDB::GlobalTable": ("TableName", "dynamodb:{region}:{account}:table/{name}"),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::Serverless::Function": ("FunctionName", "lambda:{region}:{account}:function:{name}"),
    "AWS::KMS::Key": ("", "kms:{region}:{account}:key/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        "states:{region}:{account}:stateMachine:{name}",
    ),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{name}"),
    "AWS::Kinesis::Stream": ("Name", "kinesis:{region}:{account}:stream/{name}"),
}
# Types whose Ref is the ARN and not the name.
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


def pseudo_parameters(region: str, account: str) -> dict[str, str]:
    """Return what `AWS::Region` and its like are."""
    return {
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/Stack/simulated",
        "AWS::StackName": "Stack",
        "AWS::URLSuffix": "amazonaws.com",
    }


def name_of(logical_id: str, resource: Mapping[str, Any], resolver: Resolver) -> str:
    """Return the physical name: the one the template gives, or else the logical id."""
    prop = _ARNS.get(resource.get("Type", ""), ("", ""))[0]
    given = resource.get("Properties", {}).get(prop)
    return logical_id if given is None else str(resolver.resolve(given, f"{logical_id}.{prop}"))


def reference(logical_id: str, resource: Mapping[str, Any], resolver: Resolver) -> str:
    """Return what `Ref` gives for a resource."""
    kind = resource.get("Type", "")
    name = name_of(logical_id, resource, resolver)
    if kind in _REF_IS_ARN:
        return _arn(kind, name, resolver)
    if kind == "AWS::SQS::Queue":
        return _queue_url(name, resolver)
    if kind in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
        return _qualified(logical_id, resource, resolver)
    return name


def attribute(
    logical_id: str, resource: Mapping[str, Any], wanted: str, resolver: Resolver
) -> str | None:
    """Return what `Fn::GetAtt` gives for a resource; None where the template does not tell."""
    kind = resource.get("Type", "")
    name = name_of(logical_id, resource, resolver)
    if wanted == "StreamArn" and kind in TABLE_TYPES:
        region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
        return TableStream(table=name, region=region, account=account).arn
    if wanted in {"Arn", "TopicArn"} and kind in _ARNS:
        return _arn(kind, name, resolver)
    if wanted in {"QueueName", "TopicName", "Name"}:
        return name
    if wanted == "QueueUrl":
        return _queue_url(name, resolver)
    return None


def _arn(kind: str, name: str, resolver: Resolver) -> str:
    region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
    return "arn:aws:" + _ARNS[kind][1].format(region=region, account=account, name=name)


def _queue_url(name: str, resolver: Resolver) -> str:
    region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def _qualified(logical_id: str, resource: Mapping[str, Any], resolver: Resolver) -> str:
    """Return the ARN of an alias or a version; a version's number is taken to be 1."""
    given = resource.get("Properties", {})
    place = f"{logical_id}.FunctionName"
    function = str(resolver.resolve(given.get("FunctionName", ""), place))
    if not function.startswith("arn:"):
        function = _arn("AWS::Lambda::Function", function, resolver)
    name = given.get("Name", "1")
    return f"{function}:{resolver.resolve(name, f'{logical_id}.Name')}"
