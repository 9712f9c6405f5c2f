"""Lambda's poller in virtual time: what a mapping does with a handler, without AWS or waiting.

    run = simulate(handler, records, settings=MappingSettings(batch_size=4, retry_attempts=1))
    run.invocations, run.failures, run.checkpoints

`simulate` runs one mapping over given records. It is a driver of `cdk_streams.poller` (`course`),
as the live one is, so it has no rule of its own: what it shows is what the poller does on AWS's
side. Nothing here imports aws_cdk, boto3 or the real clock; each name is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cdk_streams.mapping import MappingSettings
    from cdk_streams.poller import Choices
    from cdk_streams.simulator.builders import expire, insert, modify, remove
    from cdk_streams.simulator.runs import Counts, Delivery, Invocation, Run
    from cdk_streams.simulator.simulation import simulate

__all__ = [
    "Choices",
    "Counts",
    "Delivery",
    "Invocation",
    "MappingSettings",
    "Run",
    "expire",
    "insert",
    "modify",
    "remove",
    "simulate",
]

_HOMES: Final = {
    "cdk_streams.mapping": ("MappingSettings",),
    "cdk_streams.poller": ("Choices",),
    "cdk_streams.simulator.builders": ("expire", "insert", "modify", "remove"),
    "cdk_streams.simulator.runs": ("Counts", "Delivery", "Invocation", "Run"),
    "cdk_streams.simulator.simulation": ("simulate",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(home), name)
            # Kept, so that Python asks here once for each name.
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
