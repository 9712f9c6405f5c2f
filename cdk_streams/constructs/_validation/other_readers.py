"""Other readers of a stream in the same app: mappings and pipes that no `StreamConsumer` created.

They count as readers as consumers do. A `DynamoEventSource` of CDK ends as such a mapping.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from aws_cdk import CfnResource
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from cdk_streams.constructs._consumer_view import ConsumerView

__all__ = ["OtherReader", "other_readers"]


class OtherReader(NamedTuple):
    """A reader as CDK holds it: ARN and function are tokens or text; a pipe has no function."""

    resource: CfnResource
    stream_arn: str
    function: str | None


def other_readers(
    consumers: Collection[ConsumerView], tree: Iterable[IConstruct]
) -> Iterator[OtherReader]:
    """Yield the readers that are none of the consumers, of whatever source."""
    ours = {each.event_source_mapping for each in consumers}
    # An app without pipes does not pay for their module.
    pipes = sys.modules.get("aws_cdk.aws_pipes")
    for each in tree:
        if isinstance(each, lambda_.CfnEventSourceMapping) and each not in ours:
            yield OtherReader(each, each.event_source_arn or "", each.function_name)
        elif pipes is not None and isinstance(each, pipes.CfnPipe):
            yield OtherReader(each, each.source, None)
