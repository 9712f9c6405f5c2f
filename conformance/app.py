"""The CDK app of the kit: a table, a function, a queue and a disabled mapping for each question."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_streams import OnFailure, StreamConsumer, StreamFunction, StreamTable
from cdk_streams.mapping import MappingSettings
from conformance.question import MEMORY_MB, STACK, TIMEOUT_S, Question
from conformance.questions import QUESTIONS

__all__ = ["ConformanceStack", "main"]

_HANDLER: Final = Path(__file__).parent / "handler.py"
# What the stack decides for itself: a queue of its own, all metrics, and disabled until the records
# are written.
_NOT_TAKEN: Final = ("on_failure", "enabled", "tags", "filter_encryption_key", "metrics")


class ConformanceStack(Stack):
    """Everything that the questions need; nothing of it outlives the stack."""

    def __init__(self, scope: Construct, stack_id: str, questions: Sequence[Question]) -> None:
        super().__init__(scope, stack_id, description="The conformance kit of cdk-streams")
        for question in questions:
            self._ask(question)

    def _ask(self, question: Question) -> None:
        name = question.construct_id
        table = StreamTable(
            self,
            f"{name}Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            removal_policy=RemovalPolicy.DESTROY,
        )
        lines = logs.LogGroup(
            self,
            f"{name}Logs",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=RemovalPolicy.DESTROY,
        )
        function = self._function(question, lines)
        if question.denied:
            function.add_to_role_policy(_denial(question.denied, table))
        consumer = StreamConsumer(
            self,
            name,
            table=table,
            function=function,
            on_failure=OnFailure.QUEUE if question.has_destination else OnFailure.NOTHING,
            enabled=False,
            alarms=None,
            metrics=["EventCount"],
            **_settings(question.scenario.settings),
        )
        queue = consumer.failures.queue
        made = {
            "table": table.table_name,
            "function": function.function_name,
            "logs": lines.log_group_name,
            "queue": "" if queue is None else queue.queue_url,
            "mapping": consumer.event_source_mapping.ref,
        }
        # One for each question: a stack has at most 200 outputs.
        CfnOutput(self, f"{name}Has", value=self.to_json_string(made))

    def _function(self, question: Question, lines: logs.LogGroup) -> StreamFunction:
        return StreamFunction(
            self,
            f"{question.construct_id}Function",
            entry=_HANDLER,
            environment={"PLAN": json.dumps(dict(question.scenario.plan))},
            memory_size=MEMORY_MB,
            timeout=Duration.seconds(TIMEOUT_S),
            log_group=lines,
        )


def _denial(actions: Sequence[str], table: StreamTable) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=iam.Effect.DENY, actions=list(actions), resources=[f"{table.table_arn}/stream/*"]
    )


def _settings(settings: MappingSettings) -> dict[str, Any]:
    return {
        each.name: getattr(settings, each.name)
        for each in fields(settings)
        if each.name not in _NOT_TAKEN
    }


def main(names: Sequence[str]) -> None:
    """Synthesize the stack of the questions of these names, all when there is none."""
    app = App()
    asked = [each for each in QUESTIONS if not names or each.name in names]
    ConformanceStack(app, STACK, asked)
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1:])
