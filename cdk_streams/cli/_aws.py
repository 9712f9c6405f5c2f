"""The boto3 clients of a subcommand, made from its options."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from cdk_streams.live import Client
from cdk_streams.redrive import CALL_LIMIT_S

__all__ = ["aws", "aws_of"]


def aws_of(options: Mapping[str, Any]) -> Client:
    """Return the maker of clients that --profile, --region and --endpoint-url ask for."""
    return aws(options["profile"], options["region"], options["endpoint_url"])


def aws(profile: str | None, region: str | None, endpoint_url: str | None) -> Client:
    """Return the maker of clients, such as `client("sqs")`; None is what boto3 finds by itself."""
    session: Any = boto3.Session(profile_name=profile, region_name=region)
    # A call that took long must not be made a second time by the client.
    once = Config(read_timeout=CALL_LIMIT_S, tcp_keepalive=True, retries={"total_max_attempts": 1})

    @cache
    def client(service: str) -> Any:
        config = once if service == "lambda" else None
        return session.client(service, endpoint_url=endpoint_url, config=config)

    return client
