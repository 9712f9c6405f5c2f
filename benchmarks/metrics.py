"""What metrics cost a batch: `Router(metrics=…)` beside Powertools Metrics, in the same run.

    python -m pip install --requirement benchmarks/requirements.txt
    python benchmarks/metrics.py

100 records a batch. Powertools counts the same: records, failures and the latency of each record.
Times are CPU microseconds for one batch, without the log itself, which goes nowhere.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

# So that it runs as it stands, installed or not.
sys.path.insert(0, str(Path(__file__).parent.parent))

from lambda_runtime import Router, lag_s

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[dict[str, Any], Any], object]

BATCH = 100
TURNS = 60
RUNS = 10


def event() -> dict[str, Any]:
    """One batch of inserts."""
    return {
        "Records": [
            {
                "eventID": f"{number:032x}",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/o/stream/2026",
                "dynamodb": {
                    "ApproximateCreationDateTime": time.time() - 1,
                    "Keys": {"pk": {"S": f"o-{number}"}},
                    "NewImage": {"pk": {"S": f"o-{number}"}, "total": {"N": "7"}},
                    "SequenceNumber": f"{3800 + number}",
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            }
            for number in range(BATCH)
        ]
    }


def handlers() -> dict[str, Handler]:
    """Each handler of the run."""
    plain, ours, beside = Router(), Router(metrics="Shop"), Router()
    metrics = import_module("aws_lambda_powertools").Metrics(namespace="Shop", service="orders")

    def handle(change: Any) -> None:
        change.new["total"]

    def measured(change: Any) -> None:
        change.new["total"]
        age_ms = (time.time() - change.created_at.timestamp()) * 1_000
        metrics.add_metric("Latency", "Milliseconds", age_ms)

    plain.insert(handle)
    ours.insert(handle)
    beside.insert(measured)

    def powertools(batch: dict[str, Any], context: Any) -> object:
        metrics.add_metric("Records", "Count", len(batch["Records"]))
        metrics.add_metric("Lag", "Milliseconds", (lag_s(batch["Records"]) or 0) * 1_000)
        answer = beside.handler(batch, context)
        metrics.add_metric("Failed", "Count", len(answer["batchItemFailures"]))
        return answer

    logged = metrics.log_metrics(powertools)
    return {"no metrics": plain.handler, "Router(metrics=)": ours.handler, "Powertools": logged}


def main() -> None:
    """Take turns, and print the fastest and the median of each."""
    os.environ["STREAM_PARTIAL_RESPONSE"] = "1"
    times: dict[str, list[float]] = {}
    contestants = handlers()
    for _ in range(TURNS):
        for name, handler in contestants.items():
            batch = event()
            with contextlib.redirect_stdout(io.StringIO()):
                start = time.process_time_ns()
                for _ in range(RUNS):
                    handler(batch, None)
            spent = time.process_time_ns() - start
            times.setdefault(name, []).append(spent / RUNS / 1_000)
    for name, found in times.items():
        print(f"{name:20}{min(found):9.0f} µs{statistics.median(found):9.0f} µs median")


if __name__ == "__main__":
    main()
