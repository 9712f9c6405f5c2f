"""A forwarder as its function's environment describes it: what `StreamForwarder` deploys.

| variable                    | is                                              | without it      |
|-----------------------------|-------------------------------------------------|-----------------|
| STREAM_FORWARD_TYPE         | the class of the target, such as EventBus       | an error        |
| STREAM_FORWARD_TARGET       | the bus, stream, bucket or function by name,    | an error        |
|                             | the queue by URL, the topic and the state       |                 |
|                             | machine by ARN                                  |                 |
| STREAM_FORWARD_PREFIX       | what the names of a bucket's objects begin with | nothing         |
| STREAM_FORWARD_FIFO         | "1" for a FIFO queue or topic                   | by its name     |
| STREAM_FORWARD_MAX_BYTES    | a queue's or topic's largest message, in bytes  | 262,144         |
| STREAM_FORWARD_SOURCE       | the events' source                              | the table's ARN |
| STREAM_FORWARD_SCHEMA       | the URI of the schema of the events' data       | our own         |
| STREAM_FORWARD_LARGE_EVENTS | the bucket for the data of events that are too  | images left out |
|                             | large for the target                            |                 |
"""

from __future__ import annotations

import os

from lambda_runtime.forward import _targets
from lambda_runtime.forward._claim_checks import ClaimChecks
from lambda_runtime.forward._errors import ForwardError
from lambda_runtime.forward._events import ITEM_CHANGE_SCHEMA
from lambda_runtime.forward._forwarder import Forwarder

__all__ = ["forwarder", "handler"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lambda_runtime.forward._delivery import Target

_kept: dict[tuple[str | None, ...], Forwarder] = {}
_VARIABLES = ("TYPE", "TARGET", "PREFIX", "FIFO", "MAX_BYTES", "SOURCE", "SCHEMA", "LARGE_EVENTS")


def handler(event: Any, context: Any = None) -> dict[str, Any]:
    """Forward a batch as the environment says: the Lambda handler of a `StreamForwarder`."""
    values = tuple(os.environ.get(f"STREAM_FORWARD_{name}") for name in _VARIABLES)
    if values not in _kept:
        _kept[values] = forwarder(os.environ)
    return _kept[values].handler(event, context)


def forwarder(environment: Mapping[str, str]) -> Forwarder:
    """Make the forwarder that environment variables describe.

    Raises:
        ForwardError: A variable is missing or holds what it must not.
    """

    def value(name: str) -> str | None:
        return environment.get(f"STREAM_FORWARD_{name}") or None

    bucket = value("LARGE_EVENTS")
    return Forwarder(
        _target(
            value("TYPE"),
            value("TARGET"),
            prefix=value("PREFIX"),
            max_message_bytes=_bytes(value("MAX_BYTES")),
            fifo=True if value("FIFO") == "1" else None,
        ),
        source=value("SOURCE"),
        schema=value("SCHEMA") or ITEM_CHANGE_SCHEMA,
        large_events=None if bucket is None else ClaimChecks(bucket),
    )


def _target(kind: str | None, name: str | None, **options: Any) -> Target:
    if name is None:
        raise ForwardError(
            "STREAM_FORWARD_TARGET must name the target, got nothing; set it in the environment "
            "of the function"
        )
    if kind not in _targets.NAMES:
        known = " ".join(_targets.NAMES)
        raise ForwardError(f"STREAM_FORWARD_TYPE must be one of {known}, got {kind!r}")
    from lambda_runtime import forward  # noqa: PLC0415 - it imports the one target that is asked for

    given = {option: value for option, value in options.items() if value is not None}
    target: Target = getattr(forward, kind)(name, **given)
    return target


def _bytes(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise ForwardError(f"STREAM_FORWARD_MAX_BYTES must be a number of bytes, got {text!r}")
    return int(text)
