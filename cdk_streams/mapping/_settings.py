"""`MappingSettings`: the settings of one event source mapping, as one frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final, Self, TypeVar

from cdk_streams.errors import SettingsError
from cdk_streams.mapping import _template
from cdk_streams.mapping._kinds import (
    Reference,
    Seconds,
    StartingPosition,
    count,
    count_faults,
    duration,
    key,
    start,
    switch,
)
from cdk_streams.mapping._nested import (
    MetricType,
    Pattern,
    filter_criteria,
    metric_types,
    on_failure_destination,
    response_types,
    tag_list,
)
from cdk_streams.mapping._setting import Setting, declared_settings
from cdk_streams.mapping.limits import MAX_FILTERS, MAX_FILTERS_RAISED

PARTIAL_RESPONSE_VARIABLE: Final = "STREAM_PARTIAL_RESPONSE"
"""The environment variable that is "1" when the mapping of a function reads partial responses.

`lambda_runtime`, which imports nothing of this package, has its own copy; a test compares them.
"""
REJECT_QUEUE_VARIABLE: Final = "STREAM_REJECT_QUEUE_URL"
"""The variable of a function with the URL of the queue for rejected records."""

_Settings = TypeVar("_Settings", bound="MappingSettings")


@dataclass(frozen=True, kw_only=True, repr=False)
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

    Each property is declared once below: the type of the attribute, what the constructor accepts,
    its name in a template, its range and its unit.

    Raises:
        SettingsError: Values that Lambda refuses; `faults` has a sentence for each.

    """

    batch_size: Setting[int, int] = count(
        "BatchSize", 1, 10_000, "records", default=100, always=True
    )
    max_batching_window: Setting[timedelta, Seconds] = duration(
        "MaximumBatchingWindowInSeconds", 0, 300
    )
    parallelization_factor: Setting[int, int] = count(
        "ParallelizationFactor", 1, 10, "batches of a shard at once", default=1
    )
    retry_attempts: Setting[int, int | None] = count(
        "MaximumRetryAttempts",
        *(-1, 10_000, "retries (-1: until records expire)"),
        default=-1,
        none=-1,
    )
    max_record_age: Setting[timedelta | None, Seconds | None] = duration(
        "MaximumRecordAgeInSeconds", 60, 604_800, off_s=-1, off_means="no limit"
    )
    bisect_batch_on_error: Setting[bool, bool] = switch("BisectBatchOnFunctionError")
    report_batch_item_failures: Setting[bool, bool] = response_types("FunctionResponseTypes")
    tumbling_window: Setting[timedelta | None, Seconds | None] = duration(
        "TumblingWindowInSeconds", 1, 900, off_s=0, off_means="no window"
    )
    starting_position: Setting[StartingPosition, StartingPosition] = start("StartingPosition")
    filters: Setting[tuple[str, ...], Iterable[Pattern] | None] = filter_criteria("FilterCriteria")
    on_failure: Setting[Reference | None, Reference | None] = on_failure_destination(
        "DestinationConfig"
    )
    enabled: Setting[bool, bool] = switch("Enabled", default=True)
    filter_encryption_key: Setting[Reference | None, Reference | None] = key(
        "KmsKeyArn", api="KMSKeyArn"
    )
    metrics: Setting[tuple[MetricType, ...], Iterable[MetricType] | None] = metric_types(
        "MetricsConfig"
    )
    tags: Setting[
        tuple[tuple[str, str], ...], Mapping[str, str] | Iterable[tuple[str, str]] | None
    ] = tag_list("Tags")
    filter_quota: int = field(default=MAX_FILTERS, compare=False)

    def __post_init__(self) -> None:
        """Replace what was given by what is kept, or raise all faults together."""
        faults: list[str] = []
        for name, setting in _DECLARED.items():
            # The dataclass is frozen for others; what it holds so far is what the caller gave.
            object.__setattr__(self, name, setting.check(name, getattr(self, name), faults))
        quota = self.filter_quota
        faults += count_faults("filter_quota", quota, (MAX_FILTERS, MAX_FILTERS_RAISED), "filters")
        faults += _filters_beyond_quota(self)
        if faults := faults or _faults_together(self):
            raise SettingsError(*faults)

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
        values = _template.read(properties, _DECLARED, faults)
        faults += _template.unknown(properties, _DECLARED)
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
        values = _template.read(response, _DECLARED, faults)
        values["enabled"] = response.get("State") not in {"Disabled", "Disabling"}
        if values.get("filter_encryption_key") and not values.get("filters"):
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
        return _template.render(self, _DECLARED)

    @staticmethod
    def property_names() -> dict[str, str]:
        """Return the template's name of each setting: `{"batch_size": "BatchSize", …}`."""
        return {name: setting.prop for name, setting in _DECLARED.items()}


def _build(cls: type[_Settings], values: dict[str, Any], faults: list[str]) -> _Settings:
    try:
        settings = cls(**values, filter_quota=MAX_FILTERS_RAISED)
    except SettingsError as error:
        raise SettingsError(*faults, *error.faults) from None
    if faults:
        raise SettingsError(*faults)
    return settings


_DECLARED: Final = declared_settings(MappingSettings)


def _filters_beyond_quota(settings: MappingSettings) -> list[str]:
    filters, quota = len(settings.filters), settings.filter_quota
    if not isinstance(quota, int) or filters <= quota:
        return []
    return [
        f"filters must be at most {quota} patterns, got {filters}; join some with $or"
        + ("" if quota > MAX_FILTERS else ", or pass filter_quota when the account has more")
    ]


def _faults_together(settings: MappingSettings) -> list[str]:
    """Return what Lambda refuses side by side; each value is already right by itself."""
    faults = []
    filters = len(settings.filters)
    if settings.tumbling_window and settings.parallelization_factor > 1:
        faults.append(
            "parallelization_factor must be 1 with a tumbling_window, "
            f"got {settings.parallelization_factor}; leave one of them out"
        )
    if settings.tumbling_window and filters:
        faults.append(
            f"filters must be left out with a tumbling_window, got {filters}; "
            "test the records in the handler"
        )
    if settings.filter_encryption_key and not filters:
        faults.append("filter encryption must come with filters, got none; leave its key out")
    return faults
