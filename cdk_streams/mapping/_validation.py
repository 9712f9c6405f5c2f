"""Each value of a mapping checked by itself, then the values together; faults are gathered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, get_args

from cdk_streams.errors import FilterError
from cdk_streams.filters import compile_pattern
from cdk_streams.mapping.limits import (
    LENGTHS,
    MAX_DESTINATION_CHARACTERS,
    MAX_FILTERS,
    MAX_FILTERS_RAISED,
    MAX_PATTERN_CHARACTERS,
    NUMBERS,
    Length,
    Number,
)

StartingPosition: TypeAlias = Literal["TRIM_HORIZON", "LATEST"]
MetricType: TypeAlias = Literal["EventCount"]

# CDK's number tokens reach Python as floats near -1.9e289.
_NUMBER_TOKENS_BELOW = -1e280


class SupportsSeconds(Protocol):
    """A duration of another library, such as `aws_cdk.Duration`."""

    def to_seconds(self, *, integral: bool = True) -> float:
        """Return the length in seconds; a fraction of one is an error unless `integral` is off."""
        ...


class SupportsPattern(Protocol):
    """A filter value, such as `cdk_streams.Filter`; `text` is the pattern exactly as deployed."""

    @property
    def text(self) -> str:
        """Return the pattern as JSON text."""
        ...


Seconds: TypeAlias = "timedelta | float | SupportsSeconds"
Reference: TypeAlias = "str | Mapping[str, Any]"
Pattern: TypeAlias = "str | Mapping[str, Any] | SupportsPattern"


def texts(filters: Any, quota: Any, faults: list[str]) -> tuple[str, ...]:
    """Return the patterns as JSON text; what is no pattern becomes a fault."""
    if isinstance(filters, (str, Mapping)) or hasattr(filters, "text"):
        faults.append("filters must be a list of patterns, got one pattern; put it into a list")
        return ()
    if filters is not None and not isinstance(filters, Iterable):
        faults.append(f"filters must be a list of patterns, got {_shown(filters)}")
        return ()
    texts: list[str] = []
    for index, each in enumerate(filters or ()):
        text = getattr(each, "text", each)
        if isinstance(text, Mapping):
            text = json.dumps(text, separators=(",", ":"), ensure_ascii=False)
        if not isinstance(text, str):
            faults.append(
                f"filters[{index}] must be JSON text, a dict or a Filter, got {type(each).__name__}"
            )
            continue
        texts.append(text)
        if len(text) > MAX_PATTERN_CHARACTERS:
            faults.append(
                f"filters[{index}] must have at most {MAX_PATTERN_CHARACTERS:,} characters, "
                f"got {len(text):,}; split it into several filters or test fewer attributes"
            )
            continue
        try:
            compile_pattern(text)
        except FilterError as error:
            faults.append(f"filters[{index}] {error}")
    if isinstance(quota, int) and len(texts) > quota:
        faults.append(
            f"filters must be at most {quota} patterns, got {len(texts)}; join some with $or"
            + ("" if quota > MAX_FILTERS else ", or pass filter_quota when the account has more")
        )
    return tuple(texts)


def check_values(values: dict[str, Any], faults: list[str]) -> None:
    """Check each value by itself and replace durations by `timedelta`."""
    for row in NUMBERS:
        _check_number(row, values[row.name], faults)
    for length in LENGTHS:
        values[length.name] = _length(length, values[length.name], faults)
    faults += [
        f"{name} must be True or False, got {_shown(values[name])}"
        for name in ("bisect_batch_on_error", "report_batch_item_failures", "enabled")
        if not isinstance(values[name], bool)
    ]
    position = values["starting_position"]
    if position not in get_args(StartingPosition):
        hint = "; a DynamoDB stream cannot start at a time" if position == "AT_TIMESTAMP" else ""
        faults.append(f"starting_position must be TRIM_HORIZON or LATEST, got {position!r}{hint}")
    if unknown := [name for name in values["metrics"] if name not in get_args(MetricType)]:
        faults.append(f"metrics must be EventCount, got {unknown}; the others are Kafka's")
    if wrong := [tag for tag in values["tags"] if not _is_tag(tag)]:
        faults.append(f"tags must be pairs of texts, got {wrong[0]!r}; pass {{'team': 'orders'}}")
    values["tags"] = tuple(map(tuple, values["tags"])) if not wrong else ()
    _check_number(
        Number("filter_quota", "", MAX_FILTERS, MAX_FILTERS_RAISED, "filters"),
        values["filter_quota"],
        faults,
    )
    _check_destination(values["on_failure"], faults)


def check_together(values: dict[str, Any], faults: list[str]) -> None:
    """Check what Lambda refuses side by side; each value is already right by itself."""
    if values["tumbling_window"] and values["parallelization_factor"] > 1:
        faults.append(
            "parallelization_factor must be 1 with a tumbling_window, "
            f"got {values['parallelization_factor']}; leave one of them out"
        )
    if values["tumbling_window"] and values["filters"]:
        faults.append(
            f"filters must be left out with a tumbling_window, got {len(values['filters'])}; "
            "test the records in the handler"
        )
    if values["filter_encryption_key"] and not values["filters"]:
        faults.append("filter encryption must come with filters, got none; leave its key out")


def _check_destination(destination: Any, faults: list[str]) -> None:
    if destination is None or isinstance(destination, Mapping):
        return
    if not isinstance(destination, str):
        faults.append(
            f"on_failure must be the ARN of a queue, topic or bucket, got {_shown(destination)}"
        )
        return
    if destination.startswith("${Token["):
        return
    service = [*destination.split(":"), "", "", ""][2]
    if service not in {"sqs", "sns", "s3"} or len(destination) > MAX_DESTINATION_CHARACTERS:
        faults.append(
            f"on_failure must be the ARN of a queue, topic or bucket of at most "
            f"{MAX_DESTINATION_CHARACTERS} characters, got {destination[:80]!r}"
        )
    elif destination.endswith(".fifo"):
        faults.append(
            f"on_failure must be a standard queue or topic, got {destination!r}: "
            "Lambda cannot send failure records to a FIFO one and would lose them"
        )


def _check_number(row: Number, value: Any, faults: list[str]) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not row.low <= value <= row.high:
        faults.append(
            f"{row.name} must be {row.low} to {row.high:,} {row.unit}, got {_shown(value)}"
        )


def _length(row: Length, value: Any, faults: list[str]) -> timedelta | None:
    off = None if row.off_s is not None else timedelta(0)
    if value is None:
        return off
    seconds = in_seconds(value)
    if seconds == row.off_s and not isinstance(seconds, bool):
        return off
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not row.low_s <= seconds <= row.high_s or seconds != int(seconds):
        what = f" (None: {row.off_means})" if row.off_means else ""
        faults.append(
            f"{row.name} must be {row.low_s} to {row.high_s:,} whole seconds{what}, "
            f"got {_shown(seconds)}"
        )
        return off
    return timedelta(seconds=int(seconds))


def in_seconds(value: Any) -> Any:
    """Return a length of time in seconds, fraction included; what is none is returned as it is."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if hasattr(value, "to_seconds") and not isinstance(value, type):
        return value.to_seconds(integral=False)
    return value


def _is_tag(tag: Any) -> bool:
    if not isinstance(tag, (tuple, list)) or len(tag) != 2:  # noqa: PLR2004 - a pair
        return False
    # In a template a tag's value may be a reference, such as {"Ref": "AWS::StackName"}.
    return isinstance(tag[0], str) and isinstance(tag[1], (str, Mapping))


def _shown(value: Any) -> str:
    """Name a value in an error; a number that CDK only knows at deploy time is named as that."""
    if (isinstance(value, float) and value < _NUMBER_TOKENS_BELOW) or (
        isinstance(value, str) and "${Token[" in value
    ):
        return "a CDK token (known only at deploy time); pass a plain value"
    if isinstance(value, Mapping):
        return f"the reference {json.dumps(value)}; resolve it to a plain value first"
    return repr(value)
