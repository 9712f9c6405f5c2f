"""Changes of a DynamoDB table, decoded exactly and handled in order.

    from lambda_runtime import Insert, Router

    on = Router()

    @on.insert
    def created(change: Insert) -> None:
        print(change.new["status"])

    handler = on.handler

Names are loaded when they are first used: a function pays for what it imports and no more.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_runtime._batches.log_lines import lag_s
    from lambda_runtime._batches.pause import Pause
    from lambda_runtime._batches.tumbling_windows import Window
    from lambda_runtime._changes.parsing import (
        ABSENT,
        Absent,
        Change,
        Insert,
        Item,
        Modify,
        Remove,
        Source,
        UserIdentity,
        parse,
    )
    from lambda_runtime._routing.router import Router
    from lambda_runtime._tables.conditional_writes import (
        guarded_delete,
        guarded_put,
        is_tombstone,
        write_once,
    )
    from lambda_runtime._tables.memory_table import MemoryTable
    from lambda_runtime._values.decoding import decode
    from lambda_runtime._values.encoding import encode
    from lambda_runtime._values.json_text import to_json
    from lambda_runtime.errors import (
        AttributeValueError,
        DeadlineError,
        EventError,
        GuardError,
        MissingImageError,
        ModelError,
        PauseError,
        Reject,
        RouteError,
        StreamRuntimeError,
        UnroutedError,
        WindowError,
    )

__all__ = [
    "ABSENT",
    "Absent",
    "AttributeValueError",
    "Change",
    "DeadlineError",
    "EventError",
    "GuardError",
    "Insert",
    "Item",
    "MemoryTable",
    "MissingImageError",
    "ModelError",
    "Modify",
    "Pause",
    "PauseError",
    "Reject",
    "Remove",
    "RouteError",
    "Router",
    "Source",
    "StreamRuntimeError",
    "UnroutedError",
    "UserIdentity",
    "Window",
    "WindowError",
    "decode",
    "encode",
    "guarded_delete",
    "guarded_put",
    "is_tombstone",
    "lag_s",
    "parse",
    "to_json",
    "write_once",
]

# The module of each public name.
_HOMES = {
    "_values.decoding": "decode",
    "_values.encoding": "encode",
    "errors": "AttributeValueError DeadlineError EventError GuardError MissingImageError "
    "ModelError PauseError Reject RouteError StreamRuntimeError UnroutedError WindowError",
    "_tables.conditional_writes": "guarded_delete guarded_put is_tombstone write_once",
    "_values.json_text": "to_json",
    "_tables.memory_table": "MemoryTable",
    "_batches.log_lines": "lag_s",
    "_batches.pause": "Pause",
    "_changes.parsing": "ABSENT Absent Change Insert Item Modify Remove Source UserIdentity parse",
    "_routing.router": "Router",
    "_batches.tumbling_windows": "Window",
}


if not TYPE_CHECKING:  # A type checker knows only the names above.

    def __getattr__(name: str) -> Any:
        for home, names in _HOMES.items():
            if name in names.split():
                # The builtin, because importlib alone would cost more than all of this file.
                module = __import__(f"{__name__}.{home}", fromlist=[name])
                value = globals()[name] = getattr(module, name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
