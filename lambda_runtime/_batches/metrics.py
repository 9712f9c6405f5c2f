"""Metrics of a batch, written to the log in CloudWatch's embedded metric format.

CloudWatch makes metrics of such lines by itself: no permission, no call, no package is needed. A
batch is one line with the dimension FunctionName, and one for each route that was called, with
FunctionName and Route. Both hold counts and times, nothing of an item.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from functools import wraps

from lambda_runtime._batches.log_lines import lag_s
from lambda_runtime._batches.processing import sequence_number
from lambda_runtime.errors import RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from lambda_runtime._batches.processing import Failure, ReportFailure, Take

    Function = Callable[..., object]

__all__ = ["BatchMetrics", "batch_metrics"]

_MOST_VALUES = 100
"""As many values of one metric may stand in a line."""

_UNITS = {"Lag": "Milliseconds", "Latency": "Milliseconds"}
_NAMESPACE = re.compile(r"(?!AWS/|:)[0-9A-Za-z.\-_/#:]{1,255}")


def batch_metrics(namespace: Any) -> Callable[[list[Any]], BatchMetrics]:
    """What starts the metrics of a batch; RouteError for a namespace that CloudWatch refuses."""
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace):
        raise RouteError(
            "metrics must be a namespace of CloudWatch, 1 to 255 letters, digits and any of "
            f'.-_/#: that do not begin with "AWS/" or ":", got {namespace!r}'
        )
    return lambda records: BatchMetrics(namespace, records)


class BatchMetrics:
    """What is counted while one batch is handled."""

    def __init__(self, namespace: str, records: Sequence[Any]) -> None:
        self._namespace = namespace
        self._records = records
        self._lag_s = lag_s(records)
        # Appending is safe on several threads, counting is not.
        self._ended: list[tuple[int, float]] = []
        self._settles = True
        self._called: list[str] = []
        self._failed: list[str | None] = []
        self._rejected: list[tuple[int, str | None]] = []

    def function_of(self, name: str, function: Function) -> Function:
        """Wrap the function of a route, so that its calls are counted."""

        @wraps(function)
        def counted(*arguments: Any) -> object:
            result = function(*arguments)
            self._called.append(name)
            return result

        return counted

    def taking(self, take: Take, *, settles: bool) -> Take:
        """Wrap what takes one record, so that its end is kept; without one, the batch's end is."""
        self._settles = settles

        def timed(record: Any, position: int) -> Failure | None:
            failure = take(record, position)
            if failure is None:
                self._ended.append((position, time.time()))
            return failure

        return timed

    def reporting(self, report_failure: ReportFailure) -> ReportFailure:
        """Wrap what reports a failed record, so that failures and rejects are counted."""

        def counted(failure: Failure) -> Failure | None:
            left = report_failure(failure)
            if left is None:
                self._rejected.append((failure.position, failure.route))
            else:
                self._failed.append(failure.route)
            return left

        return counted

    def end(self, answer: dict[str, Any] | None) -> None:
        """Print the lines of a batch that was answered so, or raised an error (None)."""
        for route, values in self._lines(self._unhandled(answer)):
            print(self._line(route, values), flush=True)  # noqa: T201 - that is how it is sent

    def _unhandled(self, answer: dict[str, Any] | None) -> int:
        """The first record that comes again; their number when none does."""
        if answer is None:
            return 0
        for failed in answer["batchItemFailures"]:
            # Records behind the named one were not read yet: any of them may be malformed.
            numbers = map(sequence_number, self._records)
            return next(at for at, each in enumerate(numbers) if each == failed["itemIdentifier"])
        return len(self._records)

    def _lines(self, end: int) -> Iterator[tuple[str | None, dict[str, Any]]]:
        rejected = {position for position, _ in self._rejected if position < end}
        latencies = self._latencies_ms(end, rejected)
        values: dict[str, Any] = {
            "Records": len(self._records),
            "Handled": end - len(rejected),
            "Failed": len(self._failed),
            "Rejected": len(self._rejected),
        }
        if self._lag_s is not None:
            values["Lag"] = round(self._lag_s * 1_000)
        for start in range(0, len(latencies) or 1, _MOST_VALUES):
            part = latencies[start : start + _MOST_VALUES]
            yield None, values | ({"Latency": part} if part else {})
            values = {}
        called, failed = Counter(self._called), Counter(self._failed)
        routes = Counter(route for _, route in self._rejected)
        for name in sorted({*called, *failed, *routes} - {None}, key=str):
            yield (
                name,
                {"Handled": called[name or ""], "Failed": failed[name], "Rejected": routes[name]},
            )

    def _latencies_ms(self, end: int, rejected: set[int]) -> list[int]:
        """From the write of each handled record to the end of its handlers."""
        found, now = [], time.time()
        for position, ended in self._ended:
            if position < end and position not in rejected:
                record = self._records[position : position + 1]
                age_s = lag_s(record, ended if self._settles else now)
                if age_s is not None:
                    found.append(round(age_s * 1_000))
        return found

    def _line(self, route: str | None, values: dict[str, Any]) -> str:
        dimensions = {"FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")}
        if route is not None:
            dimensions["Route"] = route
        metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values]
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [list(dimensions)],
            "Metrics": metrics,
        }
        about = {"Timestamp": round(time.time() * 1_000), "CloudWatchMetrics": [directive]}
        return json.dumps({"_aws": about, **dimensions, **values})
