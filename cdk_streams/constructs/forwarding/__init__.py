"""A consumer that sends each change of a table to another service, and its targets."""

from __future__ import annotations

from cdk_streams.constructs.forwarding import targets
from cdk_streams.constructs.forwarding.forwarder import StreamForwarder

__all__ = ["StreamForwarder", "targets"]
