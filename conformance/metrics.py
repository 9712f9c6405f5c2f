"""What CloudWatch counted of a mapping and its function while a scenario was watched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final, get_args

from cdk_streams.poller import MetricName

__all__ = ["FUNCTION_METRICS", "MAPPING_METRICS", "collected"]

FUNCTION_METRICS: Final = ("Invocations", "Errors", "Throttles", "IteratorAge")
"""Those that Lambda counts by function; IteratorAge among them, in milliseconds."""
MAPPING_METRICS: Final = tuple(each for each in get_args(MetricName) if each != "IteratorAge")
"""Those that Lambda counts by mapping, with `EventCount` among the mapping's metrics."""
_PERIOD_S: Final = 60
_HIGHEST: Final = ("IteratorAge",)


def collected(
    cloudwatch: Any, function: str, mapping: str, began: dt.datetime, ended: dt.datetime
) -> dict[str, float]:
    """Return the sums by name, and the highest IteratorAge; what has no data point is left out.

    `cloudwatch` is a boto3 client, `mapping` a UUID; the times have a time zone.
    """
    return dict(_values(cloudwatch, function, mapping, began, ended))


def _values(
    cloudwatch: Any, function: str, mapping: str, began: dt.datetime, ended: dt.datetime
) -> Iterator[tuple[str, float]]:
    for dimension, value, names in (
        ("FunctionName", function, FUNCTION_METRICS),
        ("EventSourceMappingUUID", mapping, MAPPING_METRICS),
    ):
        for name in names:
            statistic = "Maximum" if name in _HIGHEST else "Sum"
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=name,
                Dimensions=[{"Name": dimension, "Value": value}],
                # A data point stands at the beginning of its minute.
                StartTime=began.replace(second=0, microsecond=0),
                EndTime=ended,
                Period=_PERIOD_S,
                Statistics=[statistic],
            )["Datapoints"]
            if points:
                yield name, (max if name in _HIGHEST else sum)(each[statistic] for each in points)
