"""TransactWriteItems of `FakeDynamoDB`: all writes or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Protocol

from cdk_streams.testing._expressions import holds
from lambda_runtime import AttributeValueError, decode, encode

__all__ = ["Refused", "TransactionTable", "transact"]

Attributes = dict[str, dict[str, Any]]
_MOST_ACTIONS = 100
_ADD = "ADD "
# Wide enough for any two of DynamoDB's numbers; `encode` refuses what it could not hold.
_WIDE = Context(prec=300)


class TransactionTable(Protocol):
    """What a transaction needs of a table; keys and items are typed values."""

    keys: tuple[str, ...]

    def get(self, key: Attributes) -> Attributes | None: ...
    def put(self, item: Attributes) -> None: ...
    def delete(self, key: Attributes) -> None: ...


class Refused(Exception):  # noqa: N818 - named for what happened
    """Nothing was written; `reasons` has an entry for each action of a canceled transaction."""

    def __init__(self, code: str, message: str, reasons: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.reasons = code, message, list(reasons)


class _Action:
    """One action of a transaction, with its item as it is before."""

    def __init__(
        self, entry: Mapping[str, Any], table_of: Callable[[str], TransactionTable]
    ) -> None:
        ((self.kind, self.request),) = entry.items()
        self.table = table_of(self.request["TableName"])
        self.key = _key(self.table, self.kind, self.request)
        self.before = self.table.get(self.key)
        self.holds = holds(self.request, self.before or {})

    def after(self) -> Attributes | None:
        """Return the item that the action leaves; None: it is gone."""
        before = self.before or {}
        match self.kind:
            case "Put":
                return dict(self.request["Item"])
            case "Update":
                return {**self.key, **before, **_added(self.request, before)}
            case "Delete":
                return None
            case "ConditionCheck":
                return self.before
        raise NotImplementedError(
            "FakeDynamoDB runs Put, Update, Delete and ConditionCheck in a transaction, "
            f"got {self.kind}; use a local DynamoDB for it"
        )


def transact(table_of: Callable[[str], TransactionTable], entries: Sequence[Any]) -> None:
    """Carry out Put, Delete, ConditionCheck and Update with ADD.

    What DynamoDB refuses is refused: more than 100 actions, two of them on one item, a key that is
    not the table's, a sum of more than 38 digits.
    """
    if not 1 <= len(entries) <= _MOST_ACTIONS:
        message = f"a transaction must have 1 to {_MOST_ACTIONS} actions, got {len(entries)}"
        raise Refused("ValidationException", message)
    actions = [_Action(entry, table_of) for entry in entries]
    if len({(each.request["TableName"], repr(each.key)) for each in actions}) < len(actions):
        message = "Transaction request cannot include multiple operations on one item"
        raise Refused("ValidationException", message)
    codes = ["None" if each.holds else "ConditionalCheckFailed" for each in actions]
    if {*codes} != {"None"}:
        message = f"Transaction cancelled, please refer cancellation reasons {codes}"
        raise Refused("TransactionCanceledException", message, [{"Code": code} for code in codes])
    for each, item in [(each, each.after()) for each in actions]:
        if item is None:
            each.table.delete(each.key)
        else:
            each.table.put(item)


def _key(table: TransactionTable, kind: str, action: Mapping[str, Any]) -> Attributes:
    given = action["Item" if kind == "Put" else "Key"]
    extra = kind != "Put" and len(given) > len(table.keys)
    if extra or not given.keys() >= {*table.keys}:
        raise Refused("ValidationException", "The provided key element does not match the schema")
    return {name: given[name] for name in table.keys}


def _added(action: Mapping[str, Any], before: Attributes) -> Attributes:
    expression: str = action["UpdateExpression"]
    if not expression.startswith(_ADD):
        raise NotImplementedError(
            f"FakeDynamoDB runs updates of the form ADD #name :value in a transaction, got "
            f"{expression!r}; use a local DynamoDB for others"
        )
    after = {}
    for clause in expression.removeprefix(_ADD).split(","):
        name, value = clause.split()
        attribute = action["ExpressionAttributeNames"][name]
        gain = decode(action["ExpressionAttributeValues"][value])
        stored = decode(before[attribute]) if attribute in before else Decimal()
        after[attribute] = _sum(stored, gain)
    return after


def _sum(stored: Decimal, gain: Decimal) -> dict[str, Any]:
    total = _WIDE.add(stored, gain)
    try:
        return encode(_WIDE.normalize(total))
    except AttributeValueError:
        message = "DynamoDB only supports precision up to 38 digits"
        raise Refused("ValidationException", message) from None
