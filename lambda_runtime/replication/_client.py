"""The client that writes the target: one seam, which tests fill with a fake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Protocol, cast

from lambda_runtime.replication._settings import Settings

__all__ = ["Client", "client_for", "use_client"]

_given: list[Any] = []


class Client(Protocol):
    """The one method of boto3's DynamoDB client that a replica calls."""

    def put_item(self, **request: Any) -> Any:
        """Write an item in typed values if the request's condition holds."""


@contextmanager
def use_client(client: Client) -> Iterator[None]:
    """Let replicas write through this client for as long as the block runs.

    A test gives `FakeDynamoDB` of cdk_streams.testing, or a client of a local DynamoDB.
    """
    _given.append(client)
    try:
        yield
    finally:
        _given.remove(client)


def client_for(settings: Settings) -> Client:
    """The client of the target's Region, under the role to assume when there is one."""
    if _given:
        given: Client = _given[-1]
        return given
    return _made(settings.region, settings.role_arn, settings.concurrency)


@lru_cache(maxsize=8)
def _made(region: str | None, role_arn: str | None, concurrency: int) -> Client:
    import boto3  # noqa: PLC0415 - the first write pays for it, not the import
    from botocore.config import Config  # noqa: PLC0415 - the same

    session = boto3.Session()
    if role_arn is not None:
        session = boto3.Session(botocore_session=_assuming(session, role_arn))
    config = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=concurrency,
        # The items come from a table or were checked; checking them again is a third of a write.
        parameter_validation=False,
    )
    made: Any = session.client("dynamodb", region_name=region, config=config)
    return cast("Client", made)


def _assuming(session: Any, role_arn: str) -> Any:
    """A session under another role; its credentials are renewed before they expire."""
    from botocore.credentials import (  # noqa: PLC0415 - for targets of another account
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )
    from botocore.session import get_session  # noqa: PLC0415 - the same

    own = session._session  # noqa: SLF001 - boto3 has no public name for botocore's session
    fetcher = AssumeRoleCredentialFetcher(
        own.create_client,
        own.get_credentials(),
        role_arn,
        extra_args={"RoleSessionName": "cdk-streams-replica"},
    )
    assuming: Any = get_session()
    assuming._credentials = DeferredRefreshableCredentials(  # noqa: SLF001 - as botocore's own providers do
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return assuming
