"""The capacity of a consumer: its lag, invocations and cost over a day, worked out from counts.

    workload = Workload(writes=WriteRate.constant(1000), record_ms=5, call_ms=20)
    propose(workload, timedelta(seconds=10)).proposed.size.settings  # MappingSettings(…)
    assert_keeps_up(settings, rate=1000, record_ms=5)                # in a test

The rules are those of the poller, on counts of records: a day of 1,000 writes a second takes less
than a second. What is assumed: shards get the same writes, evenly within each rate; items are
many, so that lanes get their shares as at random; a call takes `call_ms` and `record_ms` for each
record; whole calls fail; shards do not split.
"""

from __future__ import annotations

from cdk_streams.capacity._forecast import Forecast, forecast
from cdk_streams.capacity._keeps_up import assert_keeps_up, sentences_about
from cdk_streams.capacity._prices import PRICES, Prices
from cdk_streams.capacity._proposal import Proposal, Shortage, propose
from cdk_streams.capacity._workload import ConsumerSize, Workload
from cdk_streams.capacity._write_rate import WriteRate

__all__ = [
    "PRICES",
    "ConsumerSize",
    "Forecast",
    "Prices",
    "Proposal",
    "Shortage",
    "Workload",
    "WriteRate",
    "assert_keeps_up",
    "forecast",
    "propose",
    "sentences_about",
]
