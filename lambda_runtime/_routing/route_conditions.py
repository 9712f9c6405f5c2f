"""The conditions of a route: each is a small function of a change, built and checked once.

A condition is declared beside a handler (`@on.insert(pk="ORDER#")`), so a mistake in it must show
when the module is imported, not when the first change that it should have taken is ignored.
"""

from __future__ import annotations

from lambda_runtime._routing.signatures import check_result, refuse_lazy
from lambda_runtime.errors import AttributeValueError, RouteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from lambda_runtime._changes.items import Item
    from lambda_runtime._changes.parsing import Change

    Condition = Callable[[Any], bool]

__all__ = ["all_of", "attribute_is", "changed", "expiry", "key_matches", "predicate"]

_SCALARS = ("S", "N", "B", "BOOL", "NULL")


def all_of(conditions: Iterable[Condition]) -> Condition | None:
    """One condition that holds when all do; None for no conditions at all."""
    listed = tuple(conditions)
    if len(listed) < 2:  # noqa: PLR2004 - none, or one that needs no company
        return listed[0] if listed else None

    def holds(change: Any) -> bool:
        for condition in listed:  # noqa: SIM110 - a generator takes three times as long
            if not condition(change):
                return False
        return True

    return holds


def changed(names: tuple[str | tuple[str, ...], ...]) -> Condition:
    """True for a Modify in which at least one of the named attributes, or members, changed."""
    for name in names:
        path = name if isinstance(name, tuple) else (name,)
        if not path or not all(isinstance(step, str) and step for step in path):
            raise RouteError(
                f"modify takes names of attributes, got {name!r}; "
                "write ('address', 'city') for a member of a map"
            )
    return lambda change: bool(change.changed(*names))


def expiry(*, wanted: bool) -> Condition:
    """True for a Remove made by DynamoDB's time to live; with `wanted=False`, for any other."""
    if not isinstance(wanted, bool):
        raise RouteError(
            f"expired must be True (deletes by time to live) or False (all others), got {wanted!r}"
        )
    return lambda change: change.expired is wanted


def predicate(function: Callable[[Any], Any]) -> Condition:
    """The caller's own condition; what it raises is a failure of the record."""
    if not callable(function):
        raise RouteError(f"when must be a function of the change, got {function!r}")
    if not isinstance(function, type):
        refuse_lazy(function)

    def holds(change: Any) -> bool:
        answer = function(change)
        if answer.__class__ is not bool:
            check_result(function, answer)
        return bool(answer)

    return holds


def key_matches(name: str, wanted: Any) -> Condition:
    r"""A condition on a key attribute.

    Args:
        name: A key attribute of the table: its partition key or its sort key.
        wanted: A prefix (str, or bytes for a binary key), a tuple of prefixes, or a compiled
            pattern that has to match the whole key (`re.compile(r"ORDER#\d+")`).

    A change whose keys lack `name` raises `RouteError` instead of not matching: all items of a
    table have the same key attributes, so it is a misspelt route that would never take anything.
    """
    if hasattr(wanted, "fullmatch"):
        text: type = type(wanted.pattern)
        matches = wanted.fullmatch
        return lambda change: isinstance(key := _key(change, name), text) and bool(matches(key))
    prefixes = wanted if isinstance(wanted, tuple) else (wanted,)
    kinds = {type(prefix) for prefix in prefixes}
    if kinds not in ({str}, {bytes}) or not all(prefixes):
        raise RouteError(
            f"{name}={wanted!r} is no condition on a key: expected a prefix that is not empty, "
            "a tuple of such prefixes, or a compiled pattern of the whole key; "
            f"write where={{{name!r}: value}} for a key that equals a value"
        )
    kind = kinds.pop()
    return lambda change: isinstance(key := _key(change, name), kind) and key.startswith(prefixes)


def attribute_is(image: str, name: str, wanted: Any) -> Condition:
    """A condition that an attribute equals a value, or one of a tuple of values.

    Args:
        image: `"new"` or `"old"`. A key attribute is read from the keys, which every stream has;
            for any other, a stream without that image raises `MissingImageError`.
        name: The attribute. An item that does not have it does not match.
        wanted: str, int, Decimal, bytes, bool or None, or a tuple of those. True is not 1.
    """
    values = wanted if isinstance(wanted, tuple) else (wanted,)
    if not values or not all(map(_is_scalar, values)):
        raise RouteError(
            f"{name!r} can be compared with a str, int, Decimal, bytes, bool or None, or with a "
            f"tuple of those, got {wanted!r}; write when=lambda change: ... for anything else"
        )

    def holds(change: Any) -> bool:
        item: Item = change.keys if name in change.keys else getattr(change, image)
        return name in item and any(_same(item[name], value) for value in values)

    return holds


def _key(change: Change, name: str) -> Any:
    """The value of a key attribute; a name that is none is a mistake in the route."""
    keys = change.keys
    if name not in keys.raw:
        raise RouteError(
            f"a route asks for the key {name!r}, but the keys of this table are "
            f"{', '.join(map(repr, keys))}; write where={{{name!r}: value}} "
            "for an attribute that is no key"
        )
    return keys[name]


def _is_scalar(value: Any) -> bool:
    from lambda_runtime._values.encoding import encode  # noqa: PLC0415 - few routes ask for it

    try:
        return next(iter(encode(value))) in _SCALARS
    except AttributeValueError:
        return False


def _same(value: Any, wanted: Any) -> bool:
    # In Python True == 1, in DynamoDB a BOOL never equals an N.
    return bool(value == wanted) and isinstance(value, bool) is isinstance(wanted, bool)
