"""What the mappings of a template will do, worked out by the simulator.

mapping, = runnable_mappings(template.read("template.yaml")).mappings
simulate(handler, records, settings=mapping.settings, timeout=mapping.timeout)
"""

from __future__ import annotations

from cdk_streams.analysis._runnable import RunnableMapping, RunnableMappings, runnable_mappings

__all__ = ["RunnableMapping", "RunnableMappings", "runnable_mappings"]
