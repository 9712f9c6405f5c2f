"""What a consumer's function must be, checked before anything is created."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IConstruct

from cdk_streams.constructs._consumer_view import AnyFunction, ConsumerView, function_behind
from cdk_streams.constructs._registry import Placement, placement_of
from cdk_streams.constructs.failures import OnFailure
from cdk_streams.errors import SourceError
from cdk_streams.mapping import REJECT_QUEUE_VARIABLE

__all__ = [
    "can_be_granted",
    "check_beside",
    "check_function",
    "check_shared_rejects",
    "check_stacks",
]


def check_function(function: Any) -> str:
    """Return the ARN of a function; refuse what is none, or one that no stream can invoke.

    Raises:
        SourceError: It is no function, or one with tenant isolation.

    """
    if not isinstance(function, Construct) or not hasattr(function, "function_arn"):
        raise SourceError(
            f"function must be a Function, an Alias or an import, got {_shown_function(function)}"
        )
    behind = function_behind(cast("AnyFunction", function))
    if getattr(behind, "tenancy_config", None) is not None:
        raise SourceError(
            f"function must be without tenancy_config, got {function.node.path!r} with it; a "
            "stream cannot invoke a function with tenant isolation: API Gateway alone can"
        )
    return str(function.function_arn)


def _shown_function(given: Any) -> str:
    """Name what is no function, with the way to make one of it."""
    if isinstance(given, str):
        instead = "import it with aws_lambda.Function.from_function_attributes"
        if not given.startswith("arn:") and given.endswith(".py"):
            instead = f"make one of the file: StreamFunction(self, ..., entry={given!r})"
        return f"the text {given!r}; {instead}"
    if isinstance(given, lambda_.CfnFunction):
        return (
            "CfnFunction; import it: aws_lambda.Function.from_function_attributes(..., "
            "function_arn=function.attr_arn, role=...)"
        )
    if isinstance(given, Construct) and hasattr(given, "table_stream_arn"):
        return "a table; table= and function= are swapped"
    name = type(given).__name__
    return f"{name}; import it with aws_lambda.Function.from_function_attributes"


def check_beside(
    function: AnyFunction,
    function_arn: str,
    stream_arn: str,
    *,
    reports: bool,
    others: Iterable[ConsumerView],
) -> None:
    """Refuse what the function's other consumers do not allow.

    Raises:
        SourceError: It reads the stream already, or another consumer of it has the other value of
            `report_batch_item_failures`.

    """
    behind = function_behind(function)
    for other in others:
        if (other.function_arn, other.stream_arn) == (function_arn, stream_arn):
            raise SourceError(
                f"function must read a stream once, got {function.node.path!r}, which "
                f"{other.node.path!r} has for the same stream; remove one of the two, or give one "
                "an alias: aws_lambda.Alias(..., version=function.current_version)"
            )
        if (
            other.settings.report_batch_item_failures is not reports
            and isinstance(behind, lambda_.Function)
            and function_behind(other.function) is behind
        ):
            raise SourceError(
                "report_batch_item_failures must be the same in every consumer of one function, "
                f"got both for {behind.node.path!r}; where it is off, Lambda would take a "
                "partial answer for success"
            )


def check_stacks(
    function: AnyFunction, placement: Placement, parts: Iterable[IConstruct | None]
) -> None:
    """Refuse a function of another stack where the two stacks would need each other.

    The mapping needs the function and waits for the policy of its role; the policy names `parts`,
    the table and the failure destination, None for one that the consumer creates. The stack of a
    function within the consumer's own comes after these, so that is no circle.

    Raises:
        SourceError: The consumer and one of these parts are in one stack, the function in another.

    """
    behind = function_behind(function)
    if not isinstance(behind, (lambda_.Function, lambda_.SingletonFunction)):
        return  # An import: there is no policy.
    theirs, ours = placement_of(behind).stack, placement.stack
    if theirs is ours or _is_within(theirs, ours):
        return
    if any(part is None or placement_of(part).stack is ours for part in parts):
        raise SourceError(
            f"a consumer must stand in the stack of its function, got the consumer in "
            f"{ours.node.path!r} and {function.node.path!r} in {theirs.node.path!r}: each stack "
            f"would need the other; create the StreamConsumer in {theirs.node.path!r}, with the "
            "table of the other stack"
        )


def _is_within(stack: Stack, outer: Stack) -> bool:
    parent = stack.nested_stack_parent
    return parent is not None and (parent is outer or _is_within(parent, outer))


def check_shared_rejects(
    function: AnyFunction, rejects: Any, others: Iterable[ConsumerView]
) -> None:
    """Refuse a reject queue that the function would not know of.

    Raises:
        SourceError: The function is imported, or another consumer of it has another reject queue.

    """
    if rejects is None or rejects is OnFailure.NOTHING:
        return
    behind = function_behind(function)
    if not isinstance(behind, (lambda_.Function, lambda_.SingletonFunction)):
        raise SourceError(
            f"rejects must be left out for an imported function, got {behind.node.path!r}; set "
            f"{REJECT_QUEUE_VARIABLE} where the function is defined"
        )
    for other in others:
        shared = function_behind(other.function) is behind
        if shared and other.rejects is not None and other.rejects is not rejects:
            raise SourceError(
                "rejects must be the same queue in every consumer of one function, got another "
                f"for {behind.node.path!r}; pass rejects=consumer.reject_queue of "
                f"{other.node.path!r}"
            )


def can_be_granted(function: AnyFunction) -> bool:
    """Whether the function has a role: one that was imported by its ARN or name has none."""
    behind = function_behind(function)
    return isinstance(behind, lambda_.Function) or behind.role is not None
