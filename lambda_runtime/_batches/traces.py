"""One X-Ray subsegment for each call of a route, sent to the daemon beside the function.

The daemon listens on UDP for a header line and a segment document, both JSON: no package, no
permission of its own and no wait is needed. A subsegment holds times, identifiers and the type of
an error, nothing of an item. Whatever goes wrong here is left out of the trace and fails nothing.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from functools import wraps

from lambda_runtime._batches.log_lines import SHOW
from lambda_runtime.errors import Reject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from lambda_runtime._batches.processing import ReportFailure, Take

    Function = Callable[..., object]

__all__ = ["MOST_CALLS", "TracedBatch"]

MOST_CALLS = 100
"""As many calls that returned, and as many that failed, of one batch become subsegments.

X-Ray keeps a trace up to 500 kB; a subsegment takes about 0.5 kB.
"""

_HEADER = '{"format": "json", "version": 1}\n'
_NOT_IN_A_NAME = re.compile(r"[^\w\s.:/%&#=+\\\-@]")


class TracedBatch:
    """One batch of a traced invocation; an Observer."""

    def __init__(self, records: list[Any], show: Collection[str]) -> None:
        self._batch_size = len(records)
        self._shows_message = "message" in {*show, *os.environ.get(SHOW, "").split(",")}
        header = os.environ.get("_X_AMZN_TRACE_ID", "")
        self._trace = dict(part.split("=", 1) for part in header.split(";") if "=" in part)
        self._socket: socket.socket | None = None
        if {"Root", "Parent"} <= self._trace.keys():
            self._socket = _socket_to(os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))
        self._left = {"returned": MOST_CALLS, "failed": MOST_CALLS}

    def function_of(self, name: str, function: Function) -> Function:
        """Wrap the function of a route, so that each call becomes a subsegment."""

        @wraps(function)
        def traced(change: Any, *context: Any) -> object:
            start = time.time()
            try:
                result = function(change, *context)
            except Exception as error:
                self._send(name, change, start, error)
                raise
            self._send(name, change, start, None)
            return result

        return traced

    def taking(self, take: Take, *, settles: bool) -> Take:  # noqa: ARG002 - an Observer's
        """Return the function as it is: its routes are traced."""
        return take

    def reporting(self, report_failure: ReportFailure) -> ReportFailure:
        """Return the function as it is: a failed call is traced where it fails."""
        return report_failure

    def end(self, _: dict[str, Any] | None) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, name: str, change: Any, start: float, error: Exception | None) -> None:
        outcome = "returned" if error is None else "failed"
        if self._socket is None or self._left[outcome] <= 0:
            return
        self._left[outcome] -= 1
        try:
            document = self._subsegment(name, change, start) | self._cause(error)
            self._socket.send((_HEADER + json.dumps(document)).encode())
        except Exception:  # noqa: BLE001, S110 - a trace fails no record
            pass

    def _subsegment(self, name: str, change: Any, start: float) -> dict[str, Any]:
        return {
            "type": "subsegment",
            "name": _NOT_IN_A_NAME.sub("_", name)[:200],
            "id": _new_id(),
            "trace_id": self._trace["Root"],
            "parent_id": self._trace["Parent"],
            "start_time": start,
            "end_time": time.time(),
            "annotations": {
                "route": name,
                "event_name": type(change).__name__.upper(),
                "event_id": change.event_id,
                "sequence_number": change.sequence_number,
                "batch_size": self._batch_size,
            },
        }

    def _cause(self, error: Exception | None) -> dict[str, Any]:
        """What X-Ray counts: `error` for a record that is rejected, `fault` for a failure."""
        if error is None:
            return {}
        exception = {"id": _new_id(), "type": type(error).__name__}
        if self._shows_message:
            exception["message"] = str(error)[:1_000]
        return {
            "error" if isinstance(error, Reject) else "fault": True,
            "cause": {"exceptions": [exception]},
        }


def _socket_to(address: str) -> socket.socket | None:
    """A UDP socket to the daemon: `host:port`, or `tcp:host:port udp:host:port` in any order.

    None where that is no IP address and port: to look a name up could take seconds.
    """
    made = None
    for part in address.split():
        host, _, port = part.removeprefix("udp:").rpartition(":")
        try:
            socket.inet_pton(socket.AF_INET, host)
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            made.connect((host, int(port)))
        except (OSError, OverflowError, ValueError):
            if made is not None:
                made.close()
            made = None
        else:
            return made
    return None


def _new_id() -> str:
    return os.urandom(8).hex()
