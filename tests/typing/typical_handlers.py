"""Handlers as a user writes them; mypy --strict and pyright read this file, nothing runs it.

Each ignored error is a promise: where the type checker stops complaining, it complains of that.
"""

from __future__ import annotations

import re
from typing import Any, assert_type

from lambda_runtime import (
    Change,
    Insert,
    MemoryTable,
    Modify,
    Reject,
    Remove,
    Router,
    Window,
    guarded_put,
    lag_s,
    write_once,
)

on = Router(concurrency=4, numbers="int", on_reject=print, show=["message"])


@on.insert
def created(change: Insert) -> None:
    if "id" not in change.keys:
        raise Reject("no id")


@on.insert(pk="ORDER#", sk=re.compile("META"), where={"type": "order"})
def order_created(change: Insert, context: object) -> bool:
    return bool(change.new) and context is not None


@on.modify("status", "total", was={"status": "PLACED"}, when=lambda change: change.changed("a"))
def moved_on(change: Modify) -> dict[str, tuple[Any, Any]]:
    return change.changes()


@on.remove(expired=True, keys={"my-key": ("a", "b")})
def expired(change: Remove) -> None:
    assert change.old


@on.default
def anything(change: Insert | Modify | Remove) -> None:
    write_once(MemoryTable("pk"), change, {"pk": "a"})


@on.insert
@on.modify
@on.remove
def every(change: Change, _context: Any) -> None:
    assert change.keys


def use(change: Modify) -> None:
    # A decorated function keeps its own type.
    assert_type(moved_on(change), dict[str, tuple[Any, Any]])


handler = on.handler
assert_type(handler({}, None), dict[str, Any])
assert_type(lag_s([]), float | None)

windows = Router()


@windows.window(initial={"count": 0})
def count(state: dict[str, Any], change: Change) -> dict[str, Any]:
    return {"count": state["count"] + len(change.keys)}


@windows.window_end
def end(state: dict[str, Any], window: Window) -> None:
    assert state, window.start.isoformat()


@on.insert  # type: ignore[type-var]
def takes_another_event(change: Modify) -> None:
    """A Modify is no Insert."""


@on.remove(expired=True)  # type: ignore[type-var]
def takes_too_much(change: Remove, context: Any, more: int) -> None:
    """A handler has one or two parameters."""


@windows.window(initial={})  # type: ignore[type-var]
def forgets_to_return(state: dict[str, Any], change: Change) -> None:
    """The state after the change is what the next one gets."""


Router(unrouted="raise")  # type: ignore[arg-type]
Router(numbers="float64")  # type: ignore[arg-type]


def put(change: Insert) -> dict[str, Any]:
    return guarded_put(change, {**change.keys, "total": change.new["total"]})
