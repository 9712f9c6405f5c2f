"""What one source item gives to a view: the key of a target item, and numbers or attributes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, DecimalException

from lambda_runtime._values.numbers_as import exact
from lambda_runtime.errors import StreamRuntimeError, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Key = tuple[tuple[str, str | bytes | Decimal], ...]
    Grouping = str | Sequence[str] | Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
    KeyOf = Callable[[Mapping[str, Any]], Key | None]

__all__ = ["Contribution", "ViewError", "key_reader", "number_of"]

_MOST_KEY_ATTRIBUTES = 2


class ViewError(StreamRuntimeError, ValueError):
    """A view that cannot work as it was declared, or an item that does not fit it."""


class Contribution:
    """What one item gives to a view.

    `key` is the key of a target item, sorted by name: `(("customer", "c-1"),)`. `content` is what
    it adds there: the numbers of a `View`, or the attributes of a `Projection`.
    """

    __slots__ = ("content", "key")

    def __init__(self, key: Key, content: Mapping[str, Any]) -> None:
        self.key = key
        self.content = content

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contribution):
            return NotImplemented
        return self.key == other.key and self.content == other.content

    __hash__ = None  # type: ignore[assignment] # its content may hold lists

    def __repr__(self) -> str:
        # Names only: a repr ends in logs, and values are somebody's data.
        names = ", ".join(name for name, _ in self.key)
        return f"Contribution(key=({names}), content=({', '.join(self.content)}))"


def key_reader(what: str, given: Grouping) -> KeyOf:
    """Return the function that reads the key of an item's target item; None: it has none.

    Args:
        what: The argument's name, for errors: "group_by" or "key".
        given: One or two names of attributes, or a function of the item that returns
            `{"customer": "c-1"}`, or None for an item that belongs to no target item.
    """
    if callable(given):
        return lambda item: None if (made := given(item)) is None else _checked(what, made)
    names = (given,) if isinstance(given, str) else tuple(given)
    right = all(isinstance(name, str) and name for name in names)
    if not (right and 1 <= len({*names}) == len(names) <= _MOST_KEY_ATTRIBUTES):
        raise ViewError(
            f"{what} must be one or two names of attributes, or a function of the item that "
            f'returns them, as in {what}="customer", got {given!r}; they are the key of the target'
        )

    def read(item: Mapping[str, Any]) -> Key | None:
        found = {name: item[name] for name in names if item.get(name) is not None}
        return _checked(what, found) if len(found) == len(names) else None

    return read


def number_of(what: str, value: Any) -> Decimal:
    """Read an exact number; None, which is DynamoDB's NULL too, is 0."""
    if value is None:
        return Decimal()
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        try:
            number = exact(value)
        except DecimalException:
            raise ViewError(
                f"{what} needs numbers of at most 38 digits, got a longer one"
            ) from None
        if number.is_finite():
            return number
    raise ViewError(f"{what} needs exact numbers (Decimal or int), got {kind_of(value)}")


def _checked(what: str, made: Any) -> Key:
    if not isinstance(made, Mapping) or not 1 <= len(made) <= _MOST_KEY_ATTRIBUTES:
        raise ViewError(
            f"{what} must return one or two key attributes of the target, as in "
            f"{{'customer': 'c-1'}}, or None, got {kind_of(made)}"
        )
    return tuple(sorted((name, _key_value(what, name, value)) for name, value in made.items()))


def _key_value(what: str, name: str, value: Any) -> str | bytes | Decimal:
    if isinstance(value, (str, bytes)) and value:
        return value
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return number_of(f"{what} {name!r}", value).normalize()
    got = "an empty one" if isinstance(value, (str, bytes)) else kind_of(value)
    raise ViewError(
        f"{what} {name!r} must be what a key can be, text or bytes that are not empty or a number, "
        f"got {got}"
    )
