"""A forwarder as the environment describes it."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_streams.testing import FakeServices
from lambda_runtime import forward
from lambda_runtime.forward import ForwardError, forwarder
from lambda_runtime.forward._targets import NAMES


@pytest.mark.parametrize("kind", NAMES)
def test_each_target_is_made_from_its_name(kind: str) -> None:
    made = forwarder({"STREAM_FORWARD_TYPE": kind, "STREAM_FORWARD_TARGET": "orders"})

    assert type(made.target).__name__ == kind


def test_the_handler_reads_the_environment_when_it_is_called(
    make_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAM_FORWARD_TYPE", "SqsQueue")
    monkeypatch.setenv("STREAM_FORWARD_TARGET", "https://sqs/orders")
    monkeypatch.setenv("STREAM_FORWARD_SOURCE", "shop.orders")
    monkeypatch.setenv("STREAM_FORWARD_SCHEMA", "urn:shop:order:2")
    services = FakeServices()

    with forward.services(services):
        forward.handler(make_event(1))
        monkeypatch.setenv("STREAM_FORWARD_SOURCE", "shop.returns")
        forward.handler(make_event(1))

    assert [event["source"] for event in services.events] == ["shop.orders", "shop.returns"]
    assert services.events[0]["dataschema"] == "urn:shop:order:2"


def test_a_queue_is_fifo_when_the_environment_says_so() -> None:
    named = {"STREAM_FORWARD_TYPE": "SqsQueue", "STREAM_FORWARD_TARGET": "simulated"}

    fifo = forwarder({**named, "STREAM_FORWARD_FIFO": "1", "STREAM_FORWARD_MAX_BYTES": "5000"})

    assert fifo.target.keeps_order
    assert fifo.target.limits.entry_bytes == 5_000
    assert not forwarder(named).target.keeps_order


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "STREAM_FORWARD_TARGET must name the target, got nothing"),
        ({"TARGET": "x"}, "STREAM_FORWARD_TYPE must be one of EventBus .*, got None"),
        ({"TARGET": "x", "TYPE": "Kafka"}, "STREAM_FORWARD_TYPE must be one of .*, got 'Kafka'"),
        (
            {"TARGET": "x", "TYPE": "SqsQueue", "MAX_BYTES": "1 MB"},
            "STREAM_FORWARD_MAX_BYTES must be a number of bytes, got '1 MB'",
        ),
    ],
)
def test_an_environment_that_describes_no_forwarder_is_refused(
    variables: dict[str, str], message: str
) -> None:
    with pytest.raises(ForwardError, match=message):
        forwarder({f"STREAM_FORWARD_{name}": text for name, text in variables.items()})


@pytest.mark.parametrize("name", forward.__all__)
def test_every_public_name_loads_and_is_listed(name: str) -> None:
    assert getattr(forward, name) is getattr(forward, name)
    assert name in dir(forward)


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Forwader'"):
        _ = forward.Forwader  # type: ignore[attr-defined]
