"""What the mappings of a template will do, worked out by the simulator.

explanations, left_out = explain(template.read("template.yaml"))
explanations[0].poison.blocked  # timedelta(seconds=222)
"""

from __future__ import annotations

from cdk_streams.analysis._alarm_moments import Alarm
from cdk_streams.analysis._explanation import (
    AlarmMoments,
    Explanation,
    explain,
    explain_mapping,
    proposed,
)
from cdk_streams.analysis._outage_at_rate import OutageAtRate, in_outage_at_rate
from cdk_streams.analysis._runnable import RunnableMapping, RunnableMappings, runnable_mappings
from cdk_streams.analysis._situations import Outage, Poison, SlowHandler

__all__ = [
    "Alarm",
    "AlarmMoments",
    "Explanation",
    "Outage",
    "OutageAtRate",
    "Poison",
    "RunnableMapping",
    "RunnableMappings",
    "SlowHandler",
    "explain",
    "explain_mapping",
    "in_outage_at_rate",
    "proposed",
    "runnable_mappings",
]
