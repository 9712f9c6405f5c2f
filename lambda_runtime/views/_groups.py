"""From what changed to the writes of a `View`: one for each group, in one transaction.

Numbers are added up exactly and added by DynamoDB itself (`ADD`), so that no group has to be read
and functions of several shards need not wait for each other. A group whose last item leaves is
deleted in the same transaction. Whether that is so, only the group knows: the write asks for more
items than leave, and when that is refused, the next try deletes it if exactly those are left.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

from lambda_runtime._values.encoding import encode
from lambda_runtime.errors import AttributeValueError
from lambda_runtime.views._contributions import ViewError
from lambda_runtime.views._transactions import Write, typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from lambda_runtime.views._contributions import Contribution, Key

    # A source item's mark, what it gave before, and what it gives now.
    Move = tuple[str, Contribution | None, Contribution | None]

__all__ = ["ITEMS", "recomputed", "writes"]

ITEMS = "_view_items"
"""The attribute of a target item that holds how many source items its group has."""

# Wide enough for every sum of DynamoDB's numbers, so that adding up in any order is exact.
_EXACT = Context(prec=400, Emin=-999, Emax=999, traps=[Inexact])


def writes(table: str, moves: Iterable[Move], leaving: Collection[Key]) -> list[Write]:
    """Return the writes of all groups that the moves change.

    Args:
        table: The target's name.
        moves: What each source item gave and gives.
        leaving: Groups that the last try found without other items: they are deleted.
    """
    found = []
    for key, delta in _deltas(moves).items():
        if any(delta.values()):
            found.append(Write(key, _write(table, key, delta, delete=key in leaving)))
    return found


def recomputed(moves: Iterable[Move]) -> list[dict[str, Any]]:
    """Return the target items that the moves lead to, starting with none."""
    return [{**dict(key), **delta} for key, delta in _deltas(moves).items()]


def _deltas(moves: Iterable[Move]) -> dict[Key, dict[str, Decimal]]:
    """Add up what each group gains, of its items and of every measure."""
    deltas: dict[Key, dict[str, Decimal]] = {}
    for _, before, after in moves:
        if before == after:
            continue
        for contribution, sign in ((before, Decimal(-1)), (after, Decimal(1))):
            if contribution is not None:
                delta = deltas.setdefault(contribution.key, {})
                for name, number in ((ITEMS, Decimal(1)), *contribution.content.items()):
                    gain = _EXACT.multiply(sign, number)
                    delta[name] = _EXACT.add(delta.get(name, Decimal()), gain)
    return deltas


def _write(table: str, key: Key, delta: dict[str, Decimal], *, delete: bool) -> dict[str, Any]:
    items = delta[ITEMS]
    names = {"#items": ITEMS}
    request: dict[str, Any] = {"TableName": table, "Key": typed(dict(key))}
    if items < 0:
        values = {":gone": encode(-items)}
        request["ConditionExpression"] = "#items = :gone" if delete else "#items > :gone"
        if delete:
            request["ExpressionAttributeNames"] = names
            request["ExpressionAttributeValues"] = values
            return {"Delete": request}
    else:
        values = {}
        if items == 0:
            request["ConditionExpression"] = "attribute_exists(#items)"
    added = ["#items :items"]
    values[":items"] = encode(items)
    for at, (name, number) in enumerate(delta.items()):
        # A new group gets every measure, also one that is 0.
        if name != ITEMS and (number or items > 0):
            names[f"#{at}"], values[f":{at}"] = name, _gain(name, number)
            added.append(f"#{at} :{at}")
    request["UpdateExpression"] = f"ADD {', '.join(added)}"
    request["ExpressionAttributeNames"] = names
    request["ExpressionAttributeValues"] = values
    return {"Update": request}


def _gain(name: str, number: Decimal) -> dict[str, Any]:
    try:
        return encode(number)
    except AttributeValueError:
        raise ViewError(
            f"{name!r} of a group would change by a number of more than 38 digits, which DynamoDB "
            "cannot hold"
        ) from None
