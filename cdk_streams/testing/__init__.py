"""Fakes for tests, beside the interfaces that they stand for, and snapshots of templates.

services = FakeServices()                       # what a forwarder sends events to
streams = FakeStreams()                         # a DynamoDB Streams API in memory
poller = PollerHarness(MappingSettings())       # a poller, one event at a time
snapshot.use_extension(TemplateSnapshots)       # syrupy, with the hashes of assets masked
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.capacity import assert_keeps_up
    from cdk_streams.testing._fake_dynamodb import FakeDynamoDB, RequestFailed
    from cdk_streams.testing._fake_services import FakeServices
    from cdk_streams.testing._fake_streams import FakeStreams
    from cdk_streams.testing._masked_template import masked_template
    from cdk_streams.testing._poller_harness import PollerHarness
    from cdk_streams.testing._template_snapshots import TemplateSnapshots

__all__ = [
    "FakeDynamoDB",
    "FakeServices",
    "FakeStreams",
    "PollerHarness",
    "RequestFailed",
    "TemplateSnapshots",
    "assert_keeps_up",
    "masked_template",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.capacity": "assert_keeps_up",
            "cdk_streams.testing._fake_dynamodb": "FakeDynamoDB RequestFailed",
            "cdk_streams.testing._fake_services": "FakeServices",
            "cdk_streams.testing._fake_streams": "FakeStreams",
            "cdk_streams.testing._masked_template": "masked_template",
            "cdk_streams.testing._poller_harness": "PollerHarness",
            "cdk_streams.testing._template_snapshots": "TemplateSnapshots",
        },
    )
