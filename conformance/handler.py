"""The one function of every scenario: behaves as `PLAN` says, and logs each call as a JSON line."""

from __future__ import annotations

import itertools
import json
import os
import time
from typing import Any, Final

from tests.bench.scenario_handler import behaving

__all__ = ["MARK", "handler"]

MARK: Final = "conformance_call"
"""The key that tells the kit's lines from Lambda's own; it has the ordinal of the call."""
_ordinals = itertools.count(1)


def handler(event: Any, context: Any) -> Any:
    """Handle a batch as the environment variable `PLAN` says, and log what was asked and when.

    The line holds sequence numbers and times, and nothing of the items.
    """
    began_ms = _now_ms()
    try:
        return behaving(json.loads(os.environ["PLAN"]))(event, context)
    finally:
        line = {
            MARK: next(_ordinals),
            "request_id": context.aws_request_id,
            "began_ms": began_ms,
            "ended_ms": _now_ms(),
            "sequence_numbers": [
                each["dynamodb"]["SequenceNumber"] for each in event.get("Records", [])
            ],
            "shard_id": event.get("shardId", ""),
            "window": _window(event),
        }
        print(json.dumps(line), flush=True)  # noqa: T201 - Lambda logs what is printed


def _window(event: Any) -> Any:
    if "window" not in event:
        return None
    return {name: event[name] for name in ("state", "isFinalInvokeForWindow")}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
