"""The deployed consumers, taken over from the local AWS's own poller to be driven from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams.live import read_consumers, read_stacks
from cdk_streams.local import client

if TYPE_CHECKING:
    from cdk_streams.live import DeployedConsumer
    from cdk_streams.local import LocalAws

__all__ = ["taken_over"]


def taken_over(aws: LocalAws) -> list[DeployedConsumer]:
    """Return the consumers of the stack; the local AWS calls their functions no more."""
    (stack,) = read_stacks(aws.folder / "cdk.out")
    consumers = read_consumers(stack, lambda service: client(aws, service))
    for each in consumers:
        client(aws, "lambda").update_event_source_mapping(UUID=each.mapping.uuid, Enabled=False)
    return list(consumers)
