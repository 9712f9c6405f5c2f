"""Other readers of a stream in the same app: mappings and pipes that no `StreamConsumer` created.

They count as readers as consumers do. A `DynamoEventSource` of CDK ends as such a mapping.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator

from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from cdk_streams.constructs._consumer_view import ConsumerView

__all__ = ["stream_arns"]


def stream_arns(consumers: Collection[ConsumerView], tree: Iterable[IConstruct]) -> list[str]:
    """Return the stream's ARN of each other reader of the consumers' streams.

    The ARNs are CDK's own tokens, which are alike for one table wherever it is asked for them.
    """
    streams = {each.stream_arn for each in consumers}
    ours = {each.event_source_mapping for each in consumers}
    others = _sources(each for each in tree if each not in ours)
    return [arn for arn in others if arn in streams]


def _sources(tree: Iterable[IConstruct]) -> Iterator[str]:
    # An app without pipes does not pay for their module.
    pipes = sys.modules.get("aws_cdk.aws_pipes")
    for each in tree:
        if isinstance(each, lambda_.CfnEventSourceMapping):
            yield each.event_source_arn or ""
        elif pipes is not None and isinstance(each, pipes.CfnPipe):
            yield each.source
