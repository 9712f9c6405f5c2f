"""Logs each change with Powertools' logger; the router handles the records."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger

from lambda_runtime import Insert, Modify, Router

logger = Logger()
on = Router()


@on.insert
@on.modify
def written(change: Insert | Modify) -> None:
    """Write one line of JSON with what a search of the logs needs, and no personal data."""
    logger.info("order written", order_id=change.keys["order_id"], event_id=change.event_id)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> Any:
    """Add the request's id to each line, and give the batch to the router."""
    return on.handler(event, context)
