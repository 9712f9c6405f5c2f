"""Real services for the live driver: a local AWS, and Amazon's DynamoDB Local beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cdk_streams.operations.dynamodb_local import dynamodb_local, fetch, missing
from cdk_streams.operations.local_aws import LocalAws, client, local_aws

CACHE = Path(__file__).parents[3] / ".cache"
_ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=20)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with local_aws() as started:
        yield started


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    if (why_not := missing()) is not None:
        pytest.skip(why_not)
    with dynamodb_local(fetch(CACHE)) as endpoint_url:
        yield endpoint_url


def at(endpoint_url: str) -> Callable[[str], Any]:
    """Return the maker of clients of one endpoint; they retry nothing, so every fault shows."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    return lambda service: session.client(
        service,  # type: ignore[call-overload] # any service's name
        endpoint_url=endpoint_url,
        config=_ONCE,
    )


@pytest.fixture(params=["DynamoDB Local", "ministack"])
def any_client(request: pytest.FixtureRequest, aws: LocalAws) -> Callable[[str], Any]:
    """Return clients of DynamoDB Local or of the local AWS; its queues serve both."""

    def near(service: str) -> Any:
        return client(aws, service)

    if request.param == "ministack":
        return near
    amazon = at(request.getfixturevalue("dynamodb_endpoint"))
    return lambda service: (amazon if service.startswith("dynamodb") else near)(service)
