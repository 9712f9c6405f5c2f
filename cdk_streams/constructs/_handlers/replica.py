"""The handler of a `TableReplica`; its environment says what is written where."""

from lambda_runtime.replication import handler_from_environment as handler

__all__ = ["handler"]
