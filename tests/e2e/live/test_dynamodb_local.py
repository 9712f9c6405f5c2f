"""DynamoDB Local is reached from this machine's loopback address and from nowhere else."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.e2e


def other_addresses() -> list[str]:
    """Return addresses of this machine that a server on all interfaces would answer on."""
    # Linux takes all of 127.0.0.0/8 as its own.
    found = ["127.0.0.2"] if sys.platform == "linux" else []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: this only asks which of our addresses the way out begins at.
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return found
        return [*found, probe.getsockname()[0]]


def accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


def test_it_listens_on_loopback_only(dynamodb_endpoint: str) -> None:
    port = urlsplit(dynamodb_endpoint).port
    assert port is not None
    others = other_addresses()
    if not others:
        pytest.skip("this machine has no second address")
    assert accepts("127.0.0.1", port)
    assert [each for each in others if accepts(each, port)] == []


def test_a_server_on_all_interfaces_would_be_noticed() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - the danger itself
        port = server.getsockname()[1]
        assert all(accepts(each, port) for each in other_addresses())
