"""The error of an event that could not be forwarded."""

from __future__ import annotations

from lambda_runtime.errors import StreamRuntimeError

__all__ = ["ForwardError"]


class ForwardError(StreamRuntimeError):
    """An event that its target refused, or a forwarder that cannot work as it is configured.

    The message names the operation and the service's error code, and no value of an item.
    """
