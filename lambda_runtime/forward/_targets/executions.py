"""Step Functions executions and other Lambda functions, which get events as their input.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

from lambda_runtime.forward._delivery import Refusal
from lambda_runtime.forward._entries import Limits
from lambda_runtime.forward._errors import code_of

__all__ = ["LambdaFunction", "SfnStateMachine"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambda_runtime.forward._entries import Entry
    from lambda_runtime.forward._events import Event

_ALREADY_STARTED = "ExecutionAlreadyExists"


class SfnStateMachine:
    """A state machine, by its ARN: one execution for each change, with the event as its input.

    The execution has the event's id as its name, so a STANDARD state machine starts it once in 90
    days. An EXPRESS one takes a name twice.
    """

    service = "stepfunctions"
    operation = "StartExecution"
    limits = Limits(1, 262_144)
    keeps_order = False

    def __init__(self, arn: str) -> None:
        self.arn = arn

    def overhead_bytes(self, _: Event) -> int:
        """Return 0: the input is all that counts."""
        return 0

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Start the execution of one event, unless it was started before."""
        (entry,) = entries
        try:
            client.start_execution(stateMachineArn=self.arn, name=entry.event.id, input=entry.text)
        except Exception as error:
            if code_of(error) != _ALREADY_STARTED:
                raise
        return {}


class LambdaFunction:
    """Another function, by its ARN or name: it is called with a list of events, and waited for.

    The call is synchronous, so events arrive in order and a call that fails is repeated by this
    forwarder's own mapping, with its retries and its failure queue.
    """

    service = "lambda"
    operation = "Invoke"
    # A synchronous call takes 6 MB.
    limits = Limits(10_000, 6_000_000)
    keeps_order = False

    def __init__(self, name: str) -> None:
        self.name = name

    def overhead_bytes(self, _: Event) -> int:
        """Return 2: what stands around an element of a JSON array."""
        return 2

    def send(self, client: Any, entries: Sequence[Entry]) -> dict[int, Refusal]:
        """Call the function with all entries; an error of it refuses them all."""
        payload = f"[{','.join(entry.text for entry in entries)}]".encode()
        answer = client.invoke(
            FunctionName=self.name, InvocationType="RequestResponse", Payload=payload
        )
        error = answer.get("FunctionError")
        if error is None:
            return {}
        # Not sent again at once: the function failed with its work, not for want of capacity.
        return {place: Refusal(error, final=True) for place in range(len(entries))}
