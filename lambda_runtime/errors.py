"""The errors of lambda_runtime, and the one exception that a handler raises on purpose.

    StreamRuntimeError
    ├── EventError           the event, or a record in it, is not what DynamoDB Streams sends
    ├── AttributeValueError  a value that is not a DynamoDB value, or cannot become one
    ├── ModelError           an item that does not fit the class it was asked to become
    ├── MissingImageError    an image that this record does not carry
    ├── RouteError           a route, or a router, that cannot work as it was declared
    ├── UnroutedError        a change that no route took, of a router told to fail then
    ├── DeadlineError        the function's time was nearly up before this record was started
    ├── GuardError           a sequence number that a guarded write cannot compare
    └── WindowError          a tumbling window whose state Lambda would not carry on
    Reject                   raised by a handler: trying this record again cannot help

A message names the place (`$.Records[3].dynamodb.NewImage.items[1]`), attribute names and types,
and never an attribute's value: messages end in logs, and values are somebody's data.
"""

from __future__ import annotations

__all__ = [
    "AttributeValueError",
    "DeadlineError",
    "EventError",
    "GuardError",
    "MissingImageError",
    "ModelError",
    "Reject",
    "RouteError",
    "StreamRuntimeError",
    "UnroutedError",
    "WindowError",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class StreamRuntimeError(Exception):
    """Any error that lambda_runtime raises about what it was given."""


class _PlacedError(StreamRuntimeError, ValueError):
    """An error about one place of a document; `str()` is `path: why`."""

    def __init__(self, why: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(why, tuple(path))
        self.why = why
        self.path = path_text(path)

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class EventError(_PlacedError):
    """The event, or a record in it, is not what DynamoDB Streams sends; `path` and `why` say it."""


class AttributeValueError(_PlacedError):
    """A value that is not a DynamoDB value, or a Python value that cannot become one."""


class ModelError(StreamRuntimeError, ValueError):
    """An item does not fit the class it was asked to become; `faults` has one sentence for each."""

    def __init__(self, model: str, faults: Sequence[str]) -> None:
        super().__init__(model, tuple(faults))
        self.model = model
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return f"the item is no {self.model}: " + "; ".join(self.faults)


class MissingImageError(StreamRuntimeError, LookupError):
    """An image was read that this record does not carry. An absent image is not an empty one."""


class RouteError(StreamRuntimeError, ValueError):
    """A route, or a router, that cannot work as it was declared; raised where it is declared."""


class UnroutedError(StreamRuntimeError):
    """A change that no route took, in a router with `unrouted="fail"`."""


class DeadlineError(StreamRuntimeError):
    """The function's time was nearly up, so this record was not started; Lambda sends it again."""


class PauseError(StreamRuntimeError):
    """The router pauses after failures, so this record was not started; Lambda sends it again."""


class GuardError(StreamRuntimeError, ValueError):
    """A sequence number that a guarded write cannot compare."""


class WindowError(StreamRuntimeError, ValueError):
    """A tumbling window whose state Lambda would not carry on to the next batch."""


class Reject(Exception):  # noqa: N818 - it is an instruction to the router, not a fault of ours
    """Raise it in a handler for a record that no retry can help: `raise Reject("no such product")`.

    What then happens to the record is the router's `on_reject`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def path_text(path: Sequence[str | int]) -> str:
    """Write a path as JSONPath: `("Records", 3, "a b")` becomes `$.Records[3]['a b']`."""
    return "$" + "".join(_step(part) for part in path)


def kind_of(value: object) -> str:
    """Name a value by its type alone, as an error may: `an int`, `nothing` for None."""
    if value is None:
        return "nothing"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def _step(part: str | int) -> str:
    if isinstance(part, str) and part.replace("-", "_").isidentifier():
        return f".{part}"
    return f"[{part!r}]"
