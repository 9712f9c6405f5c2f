"""Targets that run something for events: a state machine, another function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_lambda as lambda_

from cdk_streams.constructs.forwarding.targets._target import check_given, grant, variables

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions as stepfunctions

__all__ = ["LambdaFunction", "SfnStateMachine"]


@dataclass(frozen=True, slots=True)
class SfnStateMachine:
    """A Step Functions state machine: one execution for each change, with the event as its input.

    A STANDARD state machine starts an event once in 90 days, by the execution's name.

    Args:
        machine: The state machine.

    """

    machine: stepfunctions.IStateMachine | stepfunctions.StateMachine

    def __post_init__(self) -> None:
        """Check what was given."""
        what = "a state machine of aws_stepfunctions"
        check_given(self, self.machine, has="state_machine_arn", what=what)

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `states:StartExecution` on the state machine."""
        grant(function, "states:StartExecution", self.machine.state_machine_arn)
        return variables("SfnStateMachine", self.machine.state_machine_arn)


@dataclass(frozen=True, slots=True)
class LambdaFunction:
    """Another function, called synchronously with a list of events of up to 6 MB, in order.

    Args:
        handler: The function.

    """

    handler: lambda_.IFunction | lambda_.Function

    def __post_init__(self) -> None:
        """Check what was given."""
        check_given(self, self.handler, has="function_arn", what="a function of aws_lambda")

    def bind(self, function: lambda_.Function) -> Mapping[str, str]:
        """Allow `lambda:InvokeFunction` on the function."""
        grant(function, "lambda:InvokeFunction", self.handler.function_arn)
        return variables("LambdaFunction", self.handler.function_arn)
