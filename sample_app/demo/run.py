"""One day in the shop: write every order, and watch the consumers until they have caught up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cdk_streams.cli import LiveView
from cdk_streams.live import CheckpointStore, LiveSession, drive
from cdk_streams.local import LocalAws, client, connection_variables
from sample_app.demo.consumers import taken_over
from sample_app.demo.screen import watching
from sample_app.demo.shop import Audit, Stock, read_audit, read_stock, stock_up, write_order

if TYPE_CHECKING:
    from rich.console import Console

    from cdk_streams.live import DeployedConsumer
    from sample_app.demo.orders import Day
    from sample_app.demo.shop import Shop

__all__ = ["run_day", "wait_until_caught_up"]

_LOOK_EVERY_S = 0.25
_LIMIT_S = 60.0


def run_day(console: Console, shop: Shop, aws: LocalAws, day: Day) -> tuple[Stock, Audit]:
    """Write the day, wait for both consumers, and return what they left in the end."""
    stock_up(shop, day)
    view = LiveView(console, logs=False)
    consumers = taken_over(aws)
    with (
        CheckpointStore(aws.folder / "first-act") as checkpoints,
        drive(
            consumers,
            lambda service: client(aws, service),
            checkpoints=checkpoints,
            observer=view,
            connection=connection_variables(aws),
            scratch=aws.folder,
        ) as session,
        watching(console, view, len(day.writes)) as show,
    ):
        for written, write in enumerate(day.writes, start=1):
            write_order(shop, write)
            show(written)
        wait_until_caught_up(session, view, consumers)
    audit = Audit()
    read_audit(shop, audit)
    return read_stock(shop), audit


def wait_until_caught_up(
    session: LiveSession, view: LiveView, consumers: list[DeployedConsumer]
) -> None:
    """Wait until each consumer has processed all that is written now, a minute at most."""
    since_ms = time.time_ns() // 1_000_000
    names = {each.name for each in consumers}
    give_up = time.monotonic() + _LIMIT_S
    while not view.caught_up(names, since_ms) and time.monotonic() < give_up:
        session.check()
        time.sleep(_LOOK_EVERY_S)
