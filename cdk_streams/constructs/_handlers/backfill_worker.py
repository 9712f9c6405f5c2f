"""The worker of a distributed backfill: one data file of a point-in-time export a call."""

from lambda_runtime.replication import backfill_export_file as handler

__all__ = ["handler"]
