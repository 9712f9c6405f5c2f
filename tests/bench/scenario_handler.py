"""The handler of the recorded scenarios: it fails at chosen records in a chosen way.

A file of its own without imports from this package, because it is deployed as it is. Items carry
their place in the stream as the number `ordinal`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

__all__ = ["behaving", "handler"]


def behaving(plan: dict[str, Any]) -> Callable[[Any, Any], Any]:
    """Return the handler of a plan.

    `{"bad": [2], "how": "raise"}` raises when record 2 is among the records; `"report"` lists the
    bad ones as batch item failures; `"answer"` gives `plan["answer"]` when there is a bad one.
    `"sum"` adds the ordinals up in a tumbling window's state, lists the bad ones as batch item
    failures beside it, and raises in the closing call with `"closing": "raise"`. `"pause_s"` is
    how long each call takes.
    """

    def handle(event: Any, context: Any) -> Any:
        # The simulator's context lets virtual time pass.
        getattr(context, "spend", time.sleep)(plan.get("pause_s", 0))
        if plan["how"] == "sum":
            return _summed(event, plan)
        bad = [each for each in event["Records"] if _ordinal(each) in plan["bad"]]
        if not bad:
            return {"batchItemFailures": []}
        if plan["how"] == "raise":
            raise ValueError(f"record {_ordinal(bad[0])} is bad")
        if plan["how"] == "answer":
            return plan["answer"]
        numbers = [each["dynamodb"]["SequenceNumber"] for each in bad]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}

    return handle


def _summed(event: Any, plan: dict[str, Any]) -> Any:
    if event["isFinalInvokeForWindow"] and plan.get("closing") == "raise":
        raise ValueError("the sum cannot be kept")
    bad = [each for each in event["Records"] if _ordinal(each) in plan["bad"]]
    handled = sum(_ordinal(each) for each in event["Records"] if each not in bad)
    answer: dict[str, Any] = {"state": {"sum": event["state"].get("sum", 0) + handled}}
    if bad:
        answer["batchItemFailures"] = [
            {"itemIdentifier": each["dynamodb"]["SequenceNumber"]} for each in bad
        ]
    return answer


def _ordinal(record: Any) -> int:
    change = record["dynamodb"]
    return int((change.get("NewImage") or change["OldImage"])["ordinal"]["N"])


def handler(event: Any, context: Any) -> Any:
    """Handle a batch as the environment variable `PLAN` says."""
    return behaving(json.loads(os.environ["PLAN"]))(event, context)
