"""Changes of a table as CloudEvents, on an event bus, a queue, a topic and other services.

    from lambda_runtime.forward import EventBus, Forwarder

    handler = Forwarder(EventBus("orders")).handler

It ships with a function whose files import it. Names are loaded when they are first used.
"""

from __future__ import annotations

from lambda_runtime.forward import _targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_runtime.forward._claim_checks import ClaimChecks, fetch
    from lambda_runtime.forward._configuration import forwarder, handler
    from lambda_runtime.forward._errors import ForwardError
    from lambda_runtime.forward._events import ITEM_CHANGE_SCHEMA
    from lambda_runtime.forward._forwarder import Forwarder
    from lambda_runtime.forward._json_schema import json_schema
    from lambda_runtime.forward._services import services
    from lambda_runtime.forward._targets.event_bus import EventBus
    from lambda_runtime.forward._targets.executions import LambdaFunction, SfnStateMachine
    from lambda_runtime.forward._targets.messages import SnsTopic, SqsQueue
    from lambda_runtime.forward._targets.objects import S3Bucket
    from lambda_runtime.forward._targets.record_streams import (
        FirehoseDeliveryStream,
        KinesisStream,
    )

__all__ = [
    "ITEM_CHANGE_SCHEMA",
    "ClaimChecks",
    "EventBus",
    "FirehoseDeliveryStream",
    "ForwardError",
    "Forwarder",
    "KinesisStream",
    "LambdaFunction",
    "S3Bucket",
    "SfnStateMachine",
    "SnsTopic",
    "SqsQueue",
    "fetch",
    "forwarder",
    "handler",
    "json_schema",
    "services",
]

# The module of each public name.
_HOMES = {
    "_claim_checks": "ClaimChecks fetch",
    "_configuration": "forwarder handler",
    "_errors": "ForwardError",
    "_events": "ITEM_CHANGE_SCHEMA",
    "_forwarder": "Forwarder",
    "_json_schema": "json_schema",
    "_services": "services",
    **{f"_targets.{home}": names for home, names in _targets.HOMES.items()},
}


if not TYPE_CHECKING:  # A type checker knows only the names above.

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names.split():
                # The builtin, because importlib alone would cost more than all of this file.
                module = __import__(f"{__name__}.{home}", fromlist=[name])
                value = globals()[name] = getattr(module, name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
