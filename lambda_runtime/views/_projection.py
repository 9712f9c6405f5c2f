"""Projections: one target item for each source item, under another key."""

from __future__ import annotations

from collections.abc import Mapping

from lambda_runtime.errors import kind_of
from lambda_runtime.views._contributions import Contribution, ViewError, key_reader
from lambda_runtime.views._transactions import Write, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    from lambda_runtime.views._contributions import Grouping, Key
    from lambda_runtime.views._groups import Move

    Item = Mapping[str, Any]

__all__ = ["SOURCE", "Projection"]

SOURCE = "_view_source"
"""The attribute of a projected item that names the source item it is of."""


class Projection:
    """A table's items under another key.

        Projection(key=("customer", "order_id"), attributes=["status", "total"])

    When an item's key in the projection changes, the item under the old key goes in the same
    transaction. Two items that want one key are an error: let the key hold the source's own key.

    Args:
        key: One or two attributes, which are the target's key; or a function of the item that
            returns them, or None for an item that is not projected. An item that lacks one of the
            attributes is not projected either.
        attributes: What a projected item holds besides its key: names of attributes, or a
            function of the item that returns them with their values. None: all attributes.
        where: Which items are projected: a function of the item; None: all.

    Functions must depend on the item alone: the same item gives the same answer at any time.
    """

    def __init__(
        self,
        *,
        key: Grouping,
        attributes: Sequence[str] | Callable[[Item], Item] | None = None,
        where: Callable[[Item], object] | None = None,
    ) -> None:
        if where is not None and not callable(where):
            raise ViewError(f"where must be a function of the item, got {where!r}")
        if isinstance(attributes, (str, bytes)):
            raise ViewError(f"attributes must be a list of names, got {attributes!r}; write [...]")
        self._key_of = key_reader("key", key)
        self._attributes = attributes
        self._where = where

    def contribution(self, item: Item) -> Contribution | None:
        """Return the item to be put under its key; None: there is none."""
        if self._where is not None and not self._where(item):
            return None
        key = self._key_of(item)
        return None if key is None else Contribution(key, self._content(item))

    def stored(self, _contribution: Contribution) -> Item:
        """Return what a mark keeps besides the key: nothing, the item itself is in the target."""
        return {}

    def check(self, stored: Contribution) -> None:
        """Refuse what a view with measures has stored."""
        if stored.content:
            raise ViewError(
                f"the target was kept by a view with the measures {sorted(stored.content)}, got a "
                "projection; build the new view beside it (rebuild=)"
            )

    def writes(self, table: str, moves: Iterable[Move], _leaving: Collection[Key]) -> list[Write]:
        """Return the writes of all projected items."""
        return [
            Write(key, _write(table, key, content, sources))
            for key, (content, sources) in _by_key(moves).items()
        ]

    def recomputed(self, moves: Iterable[Move]) -> list[dict[str, Any]]:
        """Return the target items that the moves lead to, starting with none."""
        return [{**(content or {}), **dict(key)} for key, (content, _) in _by_key(moves).items()]

    def _content(self, item: Item) -> Item:
        if self._attributes is None:
            return dict(item)
        if callable(self._attributes):
            made = self._attributes(item)
            if not isinstance(made, Mapping):
                raise ViewError(f"attributes must return a dict, got {kind_of(made)}")
            return made
        return {name: item[name] for name in self._attributes if name in item}


def _by_key(moves: Iterable[Move]) -> dict[Key, tuple[Item | None, list[str]]]:
    """For each target key: what is put there, None to delete it, and whose item may be there.

    One item may leave a key that another one takes in the same transaction.
    """
    found: dict[Key, tuple[Item | None, list[str]]] = {}
    for source, before, after in moves:
        if before is not None and (after is None or after.key != before.key):
            content, sources = found.get(before.key, (None, []))
            found[before.key] = content, [*sources, source]
        if after is not None:
            content, sources = found.get(after.key, (None, []))
            if content is not None:
                raise ViewError(
                    "two items have one key in the projection; let key= hold the source's own key"
                )
            found[after.key] = {**after.content, SOURCE: source}, [*sources, source]
    return found


def _write(table: str, key: Key, content: Item | None, sources: list[str]) -> dict[str, Any]:
    ours = " OR ".join(f"#source = :{at}" for at in range(len(sources)))
    request = {
        "TableName": table,
        "ConditionExpression": f"attribute_not_exists(#source) OR {ours}",
        "ExpressionAttributeNames": {"#source": SOURCE},
        "ExpressionAttributeValues": typed({f":{at}": each for at, each in enumerate(sources)}),
    }
    if content is None:
        return {"Delete": {**request, "Key": typed(dict(key))}}
    return {"Put": {**request, "Item": typed({**content, **dict(key)})}}
