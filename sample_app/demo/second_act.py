"""The second act: what Lambda does when a record is poison, on the stack of the first.

One of the orders has a line without a quantity, which inventory cannot handle, and audit is slow.
The poison is isolated, the other orders go through, its failure record is read back with its data,
the handler is fixed while it runs, and the order is redriven.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cdk_streams.cli import LiveView, display_name
from cdk_streams.live import (
    CheckpointStore,
    DeployedConsumer,
    LiveSession,
    drive,
    queue_url,
)
from cdk_streams.local import LocalAws, client, connection_variables
from cdk_streams.redrive import carry_out, discard, plan_redrive, receive_messages
from cdk_streams.simulator import timeline_html
from sample_app.demo.consumers import taken_over
from sample_app.demo.failure_commands import say, show_failures
from sample_app.demo.items import plain, typed
from sample_app.demo.run import wait_until_caught_up
from sample_app.demo.screen import step, verdict, wide
from sample_app.demo.shop import read_stock

if TYPE_CHECKING:
    from rich.console import Console

    from sample_app.demo.shop import Shop

__all__ = ["second_act"]

_ORDERS = 20
_POISON = 12
_SKU = "tea"
_BROKEN, _FIXED = 'line["quantity"]', 'line.get("quantity", 1)'
_SLOW = """

def slowly(event, context, _handler=handler):
    import time

    time.sleep(1)
    return _handler(event, context)


handler = slowly
"""


@dataclass(frozen=True, slots=True)
class _Stage:
    """The run, and what watches it."""

    shop: Shop
    aws: LocalAws
    run: LiveSession
    view: LiveView
    consumers: dict[str, DeployedConsumer]

    @property
    def inventory(self) -> DeployedConsumer:
        """The consumer that trips over the poison."""
        return self.consumers["Inventory"]


def second_act(console: Console, shop: Shop, aws: LocalAws, page: Path) -> bool:
    """Play it and leave its timeline in `page`; whether the stock is right in the end."""
    console.print("\n[bold]Second act: one order is poison, and audit is slow[/]\n")
    view = LiveView(console, logs=False)
    consumers = {display_name(each.name): each for each in _changeable(aws)}
    with (
        CheckpointStore(aws.folder / "second-act" / "checkpoints") as checkpoints,
        drive(
            list(consumers.values()),
            lambda service: client(aws, service),
            checkpoints=checkpoints,
            observer=view,
            connection={**connection_variables(aws), "STREAM_LOG_SHOW": "message"},
            scratch=aws.folder,
        ) as run,
    ):
        view.introduce(consumers.values())
        right = _play(console, _Stage(shop, aws, run, view, consumers))
    wide(console).print(view.table())
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(timeline_html(view.recorder, title="The demo's second act"), encoding="utf-8")
    console.print(f"\nits timeline: {page}", highlight=False, soft_wrap=True)
    return right


def _changeable(aws: LocalAws) -> list[DeployedConsumer]:
    """Return the consumers, their code copied to where it can be changed under them."""
    taken: list[DeployedConsumer] = []
    for each in taken_over(aws):
        code = aws.folder / "second-act" / each.name
        shutil.copytree(each.function.asset, code)
        if (audit := code / "audit.py").exists():
            audit.write_text(audit.read_text() + _SLOW)
        # What the first act wrote is done with, and nobody wants to watch eleven retries.
        settings = replace(each.mapping.settings, starting_position="LATEST", retry_attempts=2)
        mapping = replace(each.mapping, settings=settings)
        function = replace(each.function, asset=code)
        taken.append(DeployedConsumer(each.name, function, mapping))
    return taken


def _play(console: Console, stage: _Stage) -> bool:
    wait_until_caught_up(
        stage.run, stage.view, list(stage.consumers.values())
    )  # the end of the stream, where LATEST begins
    before = read_stock(stage.shop).available[_SKU]
    for number in range(1, _ORDERS + 1):
        _place(stage.shop, f"second-{number:02}", poison=number == _POISON)
    with step(console, "the consumers work", f"{_ORDERS} orders are dealt with"):
        wait_until_caught_up(stage.run, stage.view, list(stage.consumers.values()))
    sold = before - read_stock(stage.shop).available[_SKU]
    good = f"the {_ORDERS - 1} good orders went through, none waits behind the poison"
    faults = [] if sold == _ORDERS - 1 else [f"{sold} units sold, expected {_ORDERS - 1}"]
    verdict(console, good, faults)
    return _redrive(console, stage, before) and not faults


def _redrive(console: Console, stage: _Stage, before: int) -> bool:
    """Show the failure record with its data, fix the handler, call it again, check the stock."""
    redrive_command = show_failures(console, stage.aws)
    sqs = client(stage.aws, "sqs")
    url = queue_url(sqs, str(stage.inventory.mapping.destination))
    streams = client(stage.aws, "dynamodbstreams")
    settings = stage.inventory.mapping.settings
    found = [
        (each, plan_redrive(each.body, streams, settings))
        for page in receive_messages(sqs, url)
        for each in page
    ]
    for _, plan in found:
        data = ", ".join(_order(record) for record in plan.records)
        many = f"{len(plan.records)} record"
        say(console, f"  in the failure queue: {plan.failure.condition}, {many}, read back: {data}")
    file = stage.inventory.function.asset / "inventory.py"
    file.write_text(file.read_text().replace(_BROKEN, _FIXED))
    say(console, f"  inventory.py is fixed while it runs: {_BROKEN} → {_FIXED}")
    time.sleep(1)  # the runner looks at the source twice a second
    call = partial(stage.run.invoke, stage.inventory.name)
    for failure, plan in found:
        outcome = carry_out(plan, call)
        if outcome.redriven:
            discard(sqs, failure)
        verdict(console, "the order is redriven", [outcome.why] if outcome.why else [])
    say(console, f"  the same for a deployed function: {redrive_command}")
    sold = before - read_stock(stage.shop).available[_SKU]
    faults = [] if sold == _ORDERS else [f"{sold} units sold, expected {_ORDERS}"]
    if len(found) != 1:
        faults.append(f"{len(found)} failure records, expected 1")
    verdict(console, "stock is right for all of them", faults)
    return not faults


def _place(shop: Shop, order_id: str, *, poison: bool) -> None:
    line = {"sku": _SKU} if poison else {"sku": _SKU, "quantity": 1}
    item = {"order_id": order_id, "status": "PLACED", "city": "Graz", "lines": [line]}
    shop.dynamodb.put_item(TableName=shop.orders_table, Item=typed(item))


def _order(record: Any) -> str:
    """The order as the failure record's data has it."""
    return str(plain(record["dynamodb"]["NewImage"]))
