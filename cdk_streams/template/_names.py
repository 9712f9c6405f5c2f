"""What a deployed resource is called, its ARN, and what `Ref` and `Fn::GetAtt` give for it.

A resource without a name of its own, or with one that only a deployment knows, goes by its
logical id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from cdk_streams.arns import partition_of
from cdk_streams.mapping import DESTINATION_KINDS, TableStream
from cdk_streams.template._values import Unknown, Unresolved, boolean, only_deployed, text

__all__ = [
    "FUNCTION_TYPES",
    "QUALIFIER_TYPES",
    "TABLE_TYPES",
    "Resolving",
    "attribute",
    "construct_of",
    "name_of",
    "no_stream",
    "properties_of",
    "pseudo_parameters",
    "reference",
    "references_in",
    "stream_view_type",
]

FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function")
QUALIFIER_TYPES = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
_SIMPLE_TABLE = "AWS::Serverless::SimpleTable"
TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", _SIMPLE_TABLE)
_TABLE_ATTRIBUTES = ("Arn", "StreamArn", "TableId")
# Type: the property with the name, and the ARN's parts after `arn:aws:`.
_ARNS = {
    **dict.fromkeys(TABLE_TYPES, ("TableName", "dynamodb:{region}:{account}:table/{name}")),
    "AWS::SQS::Queue": ("QueueName", "sqs:{region}:{account}:{name}"),
    "AWS::SNS::Topic": ("TopicName", "sns:{region}:{account}:{name}"),
    "AWS::S3::Bucket": ("BucketName", "s3:::{name}"),
    **dict.fromkeys(FUNCTION_TYPES, ("FunctionName", "lambda:{region}:{account}:function:{name}")),
    "AWS::KMS::Key": ("", "kms:{region}:{account}:key/{name}"),
    "AWS::IAM::Role": ("RoleName", "iam::{account}:role/{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:{region}:{account}:log-group:{name}:*"),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        "states:{region}:{account}:stateMachine:{name}",
    ),
    "AWS::Events::EventBus": ("Name", "events:{region}:{account}:event-bus/{name}"),
    "AWS::Kinesis::Stream": ("Name", "kinesis:{region}:{account}:stream/{name}"),
    "AWS::MSK::Cluster": ("ClusterName", "kafka:{region}:{account}:cluster/{name}"),
    "AWS::DocDB::DBCluster": ("DBClusterIdentifier", "rds:{region}:{account}:cluster:{name}"),
    "AWS::AmazonMQ::Broker": ("BrokerName", "mq:{region}:{account}:broker:{name}"),
}
# Types whose Ref is the ARN and not the name.
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine", "AWS::MSK::Cluster"}
_FIFO = {kind.resource: kind.fifo_switch for kind in DESTINATION_KINDS}


_SUB = re.compile(r"\$\{([^!}][^}]*)\}")


class Resolving(Protocol):
    """What names need of the resolver of intrinsic functions."""

    pseudo: Mapping[str, str]

    def tree(self, value: Any, place: str) -> Any:
        """Return the value resolved, an `Unknown` in place of what cannot be."""
        ...


def pseudo_parameters(region: str, account: str) -> dict[str, str]:
    """Return what `AWS::Region` and its like are."""
    partition = partition_of(region)
    return {
        "AWS::AccountId": account,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": f"arn:{partition}:cloudformation:{region}:{account}:stack/Stack/simulated",
        "AWS::StackName": "Stack",
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def properties_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a resource's properties as they stand in the template."""
    properties = resource.get("Properties")
    return properties if isinstance(properties, Mapping) else {}


def construct_of(resource: Mapping[str, Any]) -> str | None:
    """Return the path of the construct that CDK made the resource of: `Shop/Audit/Mapping`."""
    metadata = resource.get("Metadata")
    path = metadata.get("aws:cdk:path") if isinstance(metadata, Mapping) else None
    return path if isinstance(path, str) else None


def name_of(logical_id: str, resource: Mapping[str, Any], resolver: Resolving) -> str:
    """Return the physical name: the one the template gives, or else the logical id."""
    kind = str(resource.get("Type"))
    properties = properties_of(resource)
    prop = _ARNS.get(kind, ("", ""))[0]
    given = resolver.tree(properties.get(prop), f"{logical_id}.{prop}")
    if isinstance(given, (str, int, float)):
        return text(given)
    fifo = resolver.tree(properties.get(_FIFO.get(kind, "")), logical_id)
    return f"{logical_id}.fifo" if boolean(fifo) else logical_id


def reference(logical_id: str, resource: Mapping[str, Any], resolver: Resolving) -> str:
    """Return what `Ref` gives for a resource."""
    kind = str(resource.get("Type"))
    name = name_of(logical_id, resource, resolver)
    if kind in _REF_IS_ARN:
        return _arn(kind, name, resolver)
    if kind == "AWS::SQS::Queue":
        return _queue_url(name, resolver)
    if kind in QUALIFIER_TYPES:
        return _qualified(logical_id, resource, resolver)
    return name


def attribute(
    logical_id: str, resource: Mapping[str, Any], wanted: str, resolver: Resolving
) -> str:
    """Return what `Fn::GetAtt` gives for a resource.

    Raises:
        Unresolved: Only a deployment knows it, or the resource has no such attribute.

    """
    kind = str(resource.get("Type"))
    name = name_of(logical_id, resource, resolver)
    if kind in TABLE_TYPES and wanted == "StreamArn":
        return _stream_arn(logical_id, resource, resolver)
    if kind in TABLE_TYPES and wanted not in _TABLE_ATTRIBUTES:
        raise Unresolved(
            f"{logical_id} has no attribute {wanted}; {kind} has {', '.join(_TABLE_ATTRIBUTES)}",
            refused=True,
        )
    if kind in QUALIFIER_TYPES and wanted in {"AliasArn", "FunctionArn"}:
        return _qualified(logical_id, resource, resolver)
    if kind == "AWS::Lambda::Version" and wanted == "Version":
        return "1"
    if wanted in {"Arn", "TopicArn"} and kind in _ARNS:
        return _arn(kind, name, resolver)
    if wanted in {"QueueName", "TopicName", "Name"}:
        return name
    if wanted == "QueueUrl":
        return _queue_url(name, resolver)
    raise only_deployed(f"{logical_id}.{wanted} of a {kind} is known only after a deployment")


def stream_view_type(logical_id: str, resource: Mapping[str, Any], resolver: Resolving) -> Any:
    """Return the `StreamViewType` of a table, which may be unknown.

    Raises:
        Unresolved: The table has no stream.

    """
    kind = str(resource.get("Type"))
    place = f"{logical_id}.StreamSpecification"
    found = resolver.tree(properties_of(resource).get("StreamSpecification"), place)
    if isinstance(found, Unknown):
        return found
    if not isinstance(found, Mapping) or "StreamViewType" not in found or kind == _SIMPLE_TABLE:
        raise Unresolved(no_stream(logical_id, kind), refused=True)
    return found["StreamViewType"]


def no_stream(logical_id: str, kind: str) -> str:
    """Return the sentence about a table without a stream."""
    if kind == _SIMPLE_TABLE:
        return (
            f"the table {logical_id} has no stream, which an {kind} cannot have; "
            "write an AWS::DynamoDB::Table with a StreamSpecification"
        )
    return (
        f"the table {logical_id} has no stream; "
        "give it StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}"
    )


def _stream_arn(logical_id: str, resource: Mapping[str, Any], resolver: Resolving) -> str:
    stream_view_type(logical_id, resource, resolver)
    region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
    name = name_of(logical_id, resource, resolver)
    return TableStream(table=name, region=region, account=account).arn


def _arn(kind: str, name: str, resolver: Resolving) -> str:
    region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
    parts = _ARNS[kind][1].format(region=region, account=account, name=name)
    return f"arn:{resolver.pseudo['AWS::Partition']}:{parts}"


def _queue_url(name: str, resolver: Resolving) -> str:
    region, account = resolver.pseudo["AWS::Region"], resolver.pseudo["AWS::AccountId"]
    return f"https://sqs.{region}.{resolver.pseudo['AWS::URLSuffix']}/{account}/{name}"


def _qualified(logical_id: str, resource: Mapping[str, Any], resolver: Resolving) -> str:
    """Return the ARN of an alias or a version; a version's number is taken to be 1."""
    given = properties_of(resource)
    function = resolver.tree(given.get("FunctionName"), f"{logical_id}.FunctionName")
    if not isinstance(function, str):
        why = function.why if isinstance(function, Unknown) else "it names no function"
        raise Unresolved(f"{logical_id}: {why}")
    if not function.startswith("arn:"):
        function = _arn("AWS::Lambda::Function", function, resolver)
    name = resolver.tree(given.get("Name", "1"), f"{logical_id}.Name")
    return f"{function}:{name}" if isinstance(name, str) else function


def references_in(value: Any) -> Iterator[str]:
    """Yield each name that a value refers to: `{"Fn::GetAtt": ["Fn", "Arn"]}` gives `Fn`."""
    if isinstance(value, list):
        for each in value:
            yield from references_in(each)
    elif isinstance(value, Mapping):
        for function, argument in value.items():
            match function, argument:
                case "Ref", str(name):
                    yield name.partition(".")[0]
                case "Fn::GetAtt", str(name) | [str(name), *_]:
                    yield name.partition(".")[0]
                case "Fn::Sub", str(text) | [str(text), *_]:
                    yield from (name.partition(".")[0] for name in _SUB.findall(text))
                    yield from references_in(argument if isinstance(argument, list) else None)
                case _:
                    yield from references_in(argument)
