"""What a replica measures: one line of CloudWatch's embedded metric format for each batch.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

from lambda_runtime._batches.log_lines import lag_s

__all__ = ["NAMESPACE", "Tally", "metric_line"]

NAMESPACE = "CdkStreams/Replication"
_UNITS = {
    "ReplicationLag": "Milliseconds",
    "Writes": "Count",
    "SupersededWrites": "Count",
    "Conflicts": "Count",
}


class Tally:
    """Counts of one batch, safe to add to from several threads.

    Attributes:
        writes: Items and tombstones written.
        superseded: Writes refused because the target had this change or a newer one.
        conflicts: Writes refused because a write in another table was newer.
    """

    def __init__(self) -> None:
        self.writes = self.superseded = self.conflicts = 0
        self._lock = threading.Lock()

    def add(self, outcome: str) -> None:
        """Count one write: "writes", "superseded" or "conflicts"."""
        with self._lock:
            setattr(self, outcome, getattr(self, outcome) + 1)


def metric_line(name: str, tally: Tally, records: Sequence[Any], now: float | None = None) -> str:
    """The line to print; CloudWatch makes metrics of it, with the dimension `Replica`.

    Args:
        name: The value of the dimension.
        tally: What the batch came to.
        records: The batch; its oldest record tells how old a change is when it is in the target.
        now: Seconds since 1970; None means the clock.
    """
    now = time.time() if now is None else now
    values: dict[str, Any] = {
        "Writes": tally.writes,
        "SupersededWrites": tally.superseded,
        "Conflicts": tally.conflicts,
    }
    if (lag := lag_s(records, now)) is not None:
        values["ReplicationLag"] = round(lag * 1000)
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Replica"]],
        "Metrics": [{"Name": each, "Unit": _UNITS[each]} for each in values],
    }
    head = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": head, "Replica": name, **values})
