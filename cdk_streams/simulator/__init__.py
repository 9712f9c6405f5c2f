"""Lambda's poller in virtual time: what a mapping does with a handler, without AWS or waiting.

    run = simulate(handler, records, settings=MappingSettings(batch_size=4, retry_attempts=1))
    run.invocations, run.failures, run.checkpoints

`simulate` runs one mapping over given records. A `World` has tables that are written to, several
consumers, faults drawn from a seed, and invariants. Both drive `cdk_streams.poller`, as the live
driver does, so they have no rule of their own: what they show is what the poller does on AWS's
side. Nothing here imports aws_cdk, boto3 or the real clock; each name is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.mapping import MappingSettings, TableStream
    from cdk_streams.poller import Assumptions
    from cdk_streams.simulator._consumer import Consumer
    from cdk_streams.simulator._dynamodb.table import Table
    from cdk_streams.simulator._explore import check, replay
    from cdk_streams.simulator._faults import NO_FAULTS, Faults
    from cdk_streams.simulator._from_template import from_template
    from cdk_streams.simulator._invariants import InvariantBroken
    from cdk_streams.simulator._records import expire, in_order, insert, modify, remove
    from cdk_streams.simulator._results import Counts, Delivery, FailureRecords, Invocation, Run
    from cdk_streams.simulator._simulate import simulate
    from cdk_streams.simulator._timeline.chrome_trace import timeline_trace
    from cdk_streams.simulator._timeline.events import TimelineEvent
    from cdk_streams.simulator._timeline.html import timeline_html
    from cdk_streams.simulator._timeline.text import timeline
    from cdk_streams.simulator._world import World

__all__ = [
    "NO_FAULTS",
    "Assumptions",
    "Consumer",
    "Counts",
    "Delivery",
    "FailureRecords",
    "Faults",
    "InvariantBroken",
    "Invocation",
    "MappingSettings",
    "Run",
    "Table",
    "TableStream",
    "TimelineEvent",
    "World",
    "check",
    "expire",
    "from_template",
    "in_order",
    "insert",
    "modify",
    "remove",
    "replay",
    "simulate",
    "timeline",
    "timeline_html",
    "timeline_trace",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.mapping": "MappingSettings TableStream",
            "cdk_streams.poller": "Assumptions",
            "cdk_streams.simulator._records": "expire in_order insert modify remove",
            "cdk_streams.simulator._consumer": "Consumer",
            "cdk_streams.simulator._explore": "check replay",
            "cdk_streams.simulator._faults": "NO_FAULTS Faults",
            "cdk_streams.simulator._invariants": "InvariantBroken",
            "cdk_streams.simulator._results": "Counts Delivery FailureRecords Invocation Run",
            "cdk_streams.simulator._simulate": "simulate",
            "cdk_streams.simulator._dynamodb.table": "Table",
            "cdk_streams.simulator._from_template": "from_template",
            "cdk_streams.simulator._timeline.events": "TimelineEvent",
            "cdk_streams.simulator._timeline.text": "timeline",
            "cdk_streams.simulator._timeline.html": "timeline_html",
            "cdk_streams.simulator._timeline.chrome_trace": "timeline_trace",
            "cdk_streams.simulator._world": "World",
        },
    )
