"""`MappingSettings`: everything that Lambda is told about a stream, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final, Self, TypeVar

from cdk_streams.errors import SettingsError
from cdk_streams.mapping import _template
from cdk_streams.mapping import _validation as rules
from cdk_streams.mapping._validation import (
    MetricType,
    Pattern,
    Reference,
    Seconds,
    StartingPosition,
)
from cdk_streams.mapping.limits import MAX_FILTERS, MAX_FILTERS_RAISED

PARTIAL_RESPONSE_VARIABLE: Final = "STREAM_PARTIAL_RESPONSE"
"""The environment variable that is "1" when the mapping of a function reads partial responses.

`lambda_runtime`, which imports nothing of this package, has its own copy; a test compares them.
"""

_Settings = TypeVar("_Settings", bound="MappingSettings")


@dataclass(frozen=True, slots=True, kw_only=True, init=False, repr=False)
class MappingSettings:
    """The settings of one event source mapping; left out, a value is Lambda's own default.

    Args:
        batch_size: Records in one invocation, at most; 1 to 10,000.
        max_batching_window: Time to gather a batch; 0 to 300 s; 0 sends what is there.
        parallelization_factor: Batches of one shard in flight at once; 1 to 10.
        retry_attempts: Calls of the same batch after its first; -1 to 10,000. 0 is one call in
            all; -1 (or None) goes on until the records expire.
        max_record_age: Records older than this go to the destination unhandled; 60 s to 7 days,
            of which a stream keeps 24 hours. None (or -1): no limit of its own.
        bisect_batch_on_error: Whether a failed batch is halved instead of retried whole.
        report_batch_item_failures: Whether the function's `batchItemFailures` are read.
        tumbling_window: Length of an aggregation window; 1 to 900 s. None (or 0): no window.
        starting_position: `TRIM_HORIZON` (the oldest record kept) or `LATEST`.
        filters: Patterns of which a record must match one; 5 at most, 4,096 characters each.
        on_failure: ARN of a standard queue, standard topic or bucket, or the template's
            reference to one, such as `{"Fn::GetAtt": ["Queue", "Arn"]}`.
        enabled: Whether Lambda polls.
        filter_encryption_key: ARN of the key that encrypts the filters.
        metrics: `("EventCount",)` publishes the mapping's own metrics.
        tags: Tags of the mapping.
        filter_quota: The account's quota of filters a mapping, 5 to 10; not part of the mapping.

    Durations are a `timedelta`, a number of seconds or CDK's `Duration`, and are kept as
    `timedelta`. Filters are JSON text, a dict or a `Filter`, and are kept as text.

    Raises:
        SettingsError: Values that Lambda refuses; `faults` has a sentence for each.

    """

    batch_size: int = 100
    max_batching_window: timedelta = timedelta(0)
    parallelization_factor: int = 1
    retry_attempts: int = -1
    max_record_age: timedelta | None = None
    bisect_batch_on_error: bool = False
    report_batch_item_failures: bool = False
    tumbling_window: timedelta | None = None
    starting_position: StartingPosition = "TRIM_HORIZON"
    filters: tuple[str, ...] = ()
    on_failure: Reference | None = None
    enabled: bool = True
    filter_encryption_key: Reference | None = None
    metrics: tuple[MetricType, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    filter_quota: int = field(default=MAX_FILTERS, compare=False)

    def __init__(
        self,
        *,
        batch_size: int = 100,
        max_batching_window: Seconds = 0,
        parallelization_factor: int = 1,
        retry_attempts: int | None = -1,
        max_record_age: Seconds | None = None,
        bisect_batch_on_error: bool = False,
        report_batch_item_failures: bool = False,
        tumbling_window: Seconds | None = None,
        starting_position: StartingPosition = "TRIM_HORIZON",
        filters: Iterable[Pattern] | None = (),
        on_failure: Reference | None = None,
        enabled: bool = True,
        filter_encryption_key: Reference | None = None,
        metrics: Sequence[MetricType] | None = (),
        tags: Mapping[str, str] | Iterable[tuple[str, str]] | None = (),
        filter_quota: int = MAX_FILTERS,
    ) -> None:
        faults: list[str] = []
        values: dict[str, Any] = {
            "batch_size": batch_size,
            "parallelization_factor": parallelization_factor,
            "retry_attempts": -1 if retry_attempts is None else retry_attempts,
            "max_batching_window": max_batching_window,
            "max_record_age": max_record_age,
            "tumbling_window": tumbling_window,
            "bisect_batch_on_error": bisect_batch_on_error,
            "report_batch_item_failures": report_batch_item_failures,
            "enabled": enabled,
            "starting_position": starting_position,
            "on_failure": on_failure,
            "filter_encryption_key": filter_encryption_key,
            "metrics": (metrics,) if isinstance(metrics, str) else tuple(metrics or ()),
            "tags": tuple(tags.items() if isinstance(tags, Mapping) else tags or ()),
            "filter_quota": filter_quota,
            "filters": rules.texts(filters, filter_quota, faults),
        }
        rules.check_values(values, faults)
        if not faults:
            rules.check_together(values, faults)
        if faults:
            raise SettingsError(*faults)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        # A reference is a dict, which has no hash; equal settings still have equal ones.
        return hash(repr(self.to_template()))

    def __repr__(self) -> str:
        """Show what differs from Lambda's defaults: `MappingSettings(batch_size=4)`."""
        shown = (
            f"{each.name}={value!r}"
            for each in fields(self)
            if (value := getattr(self, each.name)) != each.default
        )
        return f"MappingSettings({', '.join(shown)})"

    @classmethod
    def from_template(cls, properties: Mapping[str, Any]) -> Self:
        """Read the `Properties` of an `AWS::Lambda::EventSourceMapping` in a template.

        `{"BatchSize": 10, "StartingPosition": "LATEST", …}` as CDK, SAM or a person writes it;
        numbers and booleans may be text. What names the function and the stream is passed over.
        References are kept in `on_failure` and `filter_encryption_key` and are a fault elsewhere.

        Raises:
            SettingsError: A value Lambda refuses, or a property that DynamoDB does not take.

        """
        faults: list[str] = []
        values = _template.read(properties, faults)
        return _build(cls, values, faults)

    @classmethod
    def from_api(cls, response: Mapping[str, Any]) -> Self:
        """Read an answer of Lambda's Create-, Update- or GetEventSourceMapping.

        A mapping counts as enabled unless its `State` says `Disabled` or `Disabling`. An item of
        ListEventSourceMappings will do when its filters are not encrypted: with a key, List leaves
        them out.

        Raises:
            SettingsError: A value out of range, or a property of another source: the answer is not
                of a DynamoDB mapping. Or its filters are encrypted and not in it.

        """
        faults: list[str] = []
        values = _template.read(response, faults)
        values["enabled"] = response.get("State") not in {"Disabled", "Disabling"}
        if values["filter_encryption_key"] and not values["filters"]:
            faults.append(
                "FilterCriteria must come with the KMSKeyArn, got none: its filters are encrypted; "
                "ask GetEventSourceMapping as somebody who may decrypt them"
            )
            values["filter_encryption_key"] = None
        return _build(cls, values, faults)

    def to_template(self) -> dict[str, Any]:
        """Render the properties that are settings, without the function and the stream.

        Always `StartingPosition` (required) and `BatchSize` (local emulators have defaults of
        their own); the others where they differ from Lambda's default.
        """
        return _template.render(self)


def _build(cls: type[_Settings], values: dict[str, Any], faults: list[str]) -> _Settings:
    try:
        settings = cls(**values, filter_quota=MAX_FILTERS_RAISED)
    except SettingsError as error:
        raise SettingsError(*faults, *error.faults) from None
    if faults:
        raise SettingsError(*faults)
    return settings
