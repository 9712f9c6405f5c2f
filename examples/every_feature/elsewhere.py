"""A consumer of a table that another stack or tool defines, found by its name when deployed."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

import cdk_streams as streams
from examples.every_feature.stack import HANDLERS, LEGACY

__all__ = ["ElsewhereStack"]


class ElsewhereStack(cdk.Stack):
    """One consumer, with as many records a second as possible; the table exports nothing for it."""

    def __init__(self, scope: Construct, construct_id: str, *, region: str) -> None:
        super().__init__(scope, construct_id, env=cdk.Environment(region=region))
        table = streams.StreamTable.look_up(
            self,
            "Legacy",
            table_name=LEGACY,
            stream_view_type=dynamodb.StreamViewType.NEW_IMAGE,
        )
        function = streams.StreamFunction(self, "SearchFunction", entry=HANDLERS / "note.py")
        self.consumer = streams.StreamConsumer(
            self, "Search", table=table, function=function, **streams.THROUGHPUT
        )
        cdk.Validations.of(self.consumer).acknowledge(
            cdk.Acknowledgment(
                id="cdk-streams:TooManyReaders", reason="a stack to look at, as the other one"
            )
        )
