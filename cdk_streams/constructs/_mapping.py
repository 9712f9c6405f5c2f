"""The mapping of one consumer, from its settings, and what it tells the function's runtime."""

from __future__ import annotations

from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from aws_cdk import CfnParameter, CfnTag, IResolvable
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_streams.constructs._source import AnyKey
from cdk_streams.errors import SourceError
from cdk_streams.mapping import PARTIAL_RESPONSE_VARIABLE, MappingSettings

__all__ = [
    "AnyFunction",
    "Switch",
    "known_now",
    "let_lambda_decrypt",
    "new_mapping",
    "refuse_twice",
    "tell_runtime",
]

AnyFunction: TypeAlias = lambda_.IFunction | lambda_.FunctionBase
"""A function or an alias; CDK's classes fit its interface in mypy, but not in pyright."""

Switch: TypeAlias = bool | CfnParameter | IResolvable
"""On or off: now, or when the stack is deployed."""

# What the runtime of a function was told; one variable speaks for all its mappings.
_TOLD: Final = WeakKeyDictionary[lambda_.Function, bool]()
# The streams that a function, or an alias of one, reads already.
_READ: Final = WeakKeyDictionary[AnyFunction, set[str]]()


def refuse_twice(function: AnyFunction, stream_arn: str) -> None:
    """Refuse a second mapping of one stream to one function, as Lambda does at deploy time."""
    if not isinstance(function, Construct):
        raise SourceError(
            f"function must be a Function, an Alias or an import, got {type(function).__name__}; "
            "import it with aws_lambda.Function.from_function_attributes"
        )
    if stream_arn in _READ.get(function, ()):
        raise SourceError(
            f"function must read a stream once, got {function.node.path!r} for the second time; "
            "give one of the consumers an alias: aws_lambda.Alias(..., "
            "version=function.current_version)"
        )
    _READ.setdefault(function, set()).add(stream_arn)


def new_mapping(
    scope: Construct,
    stream_arn: str,
    function: AnyFunction,
    settings: MappingSettings,
    enabled: Switch,
) -> lambda_.CfnEventSourceMapping:
    """Create the mapping as `settings.to_template` writes it; `enabled` goes before its own."""
    prop = settings.to_template().get
    cfn = lambda_.CfnEventSourceMapping
    destination, filters, metrics = map(
        prop, ("DestinationConfig", "FilterCriteria", "MetricsConfig")
    )
    return cfn(
        scope,
        "Mapping",
        event_source_arn=stream_arn,
        function_name=function.function_arn,
        starting_position=prop("StartingPosition"),
        batch_size=prop("BatchSize"),
        parallelization_factor=prop("ParallelizationFactor"),
        maximum_retry_attempts=prop("MaximumRetryAttempts"),
        maximum_record_age_in_seconds=prop("MaximumRecordAgeInSeconds"),
        maximum_batching_window_in_seconds=prop("MaximumBatchingWindowInSeconds"),
        tumbling_window_in_seconds=prop("TumblingWindowInSeconds"),
        bisect_batch_on_function_error=prop("BisectBatchOnFunctionError"),
        enabled=prop("Enabled") if isinstance(enabled, bool) else _value_of(enabled),
        function_response_types=prop("FunctionResponseTypes"),
        kms_key_arn=prop("KmsKeyArn"),
        destination_config=destination
        and cfn.DestinationConfigProperty(
            on_failure=cfn.OnFailureProperty(destination=destination["OnFailure"]["Destination"])
        ),
        filter_criteria=filters
        and cfn.FilterCriteriaProperty(
            filters=[cfn.FilterProperty(pattern=each["Pattern"]) for each in filters["Filters"]]
        ),
        metrics_config=metrics and cfn.MetricsConfigProperty(metrics=metrics["Metrics"]),
        tags=[CfnTag(key=tag["Key"], value=tag["Value"]) for tag in prop("Tags", ())] or None,
    )


def tell_runtime(function: AnyFunction, *, reports: bool) -> None:
    """Set the variable by which lambda_runtime knows that its partial answers are read.

    An imported function cannot be told: set `STREAM_PARTIAL_RESPONSE=1` where it is defined.
    """
    if isinstance(function, (lambda_.Alias, lambda_.Version)):
        tell_runtime(function.lambda_, reports=reports)
    elif isinstance(function, lambda_.Function):
        if _TOLD.setdefault(function, reports) != reports:
            raise SourceError(
                "report_batch_item_failures must be the same in every consumer of one function, "
                f"got both for {function.node.path!r}; where it is off, Lambda would take a "
                "partial answer for success"
            )
        if reports:
            function.add_environment(PARTIAL_RESPONSE_VARIABLE, "1")


def let_lambda_decrypt(key: AnyKey) -> None:
    """Let Lambda itself read the filters, in the key's policy: no role of ours stands between."""
    key.grant_decrypt(iam.ServicePrincipal("lambda.amazonaws.com"))


def known_now(enabled: Any) -> Any:
    """Return the switch, for the settings to judge; True where the deployment throws it."""
    at_deploy_time = isinstance(enabled, CfnParameter) or hasattr(enabled, "resolve")
    return True if at_deploy_time else enabled


def _value_of(switch: CfnParameter | IResolvable) -> IResolvable:
    return switch.value if isinstance(switch, CfnParameter) else switch
