"""Transactions of DynamoDB: all writes or none, and why it was none.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

from time import sleep

from lambda_runtime._values.encoding import encode
from lambda_runtime.views._contributions import ViewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from lambda_runtime.views._contributions import Key

__all__ = ["MOST_ACTIONS", "MOST_BYTES", "TRIES", "Busy", "Write", "pause", "transact", "typed"]

MOST_ACTIONS = 100
"""Writes in one transaction."""
MOST_BYTES = 4_000_000
"""Bytes of all items of one transaction: 4 MB."""
TRIES = 8
"""How often a request is made, before the batch is left to Lambda to try again."""

_BUSY = {
    "ProvisionedThroughputExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
_REFUSED = ("ValidationError", "ItemCollectionSizeLimitExceeded")
_FIRST_PAUSE_S = 0.02


class Write:
    """One action of a transaction, `request`, and the key of the item that it is for."""

    __slots__ = ("key", "request")

    def __init__(self, key: Key, request: dict[str, Any]) -> None:
        self.key = key
        self.request = request


class Busy(Exception):  # noqa: N818 - private, and an instruction to try again
    """Another transaction is at the same items, or a table is throttled; `error` says which."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def transact(client: Any, writes: Sequence[Write]) -> set[int]:
    """Write all or nothing; return the places of the writes whose condition did not hold.

    Raises:
        Busy: Trying again can help.
        ViewError: DynamoDB refuses a write whatever is in the tables.
    """
    try:
        client.transact_write_items(TransactItems=[write.request for write in writes])
    except Exception as error:
        # botocore's ClientError, told by its content so that botocore is not imported here.
        response = getattr(error, "response", None) or {}
        reasons = response.get("CancellationReasons") or ()
        codes = [reason.get("Code") for reason in reasons]
        if _BUSY & {*codes}:
            raise Busy(error) from error
        for write, reason in zip(writes, reasons, strict=False):
            if reason.get("Code") in _REFUSED:
                raise _refused(write, reason.get("Message")) from error
        if response.get("Error", {}).get("Code") == "ValidationException":
            raise _refused(writes[-1], response["Error"].get("Message")) from error
        failed = {at for at, code in enumerate(codes) if code == "ConditionalCheckFailed"}
        if not failed:
            raise
        return failed
    return set()


def pause(tries: int) -> None:
    """Wait before the next try: 20 ms, twice as long each time, and up to as long again."""
    from random import random  # noqa: PLC0415 - on conflicts only

    sleep(_FIRST_PAUSE_S * 2**tries * (1 + random()))  # noqa: S311 - spreads tries, hides nothing


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Encode values for a boto3 client: `{"id": {"S": "a"}}`."""
    return {name: encode(value, binary="bytes") for name, value in values.items()}


def _refused(write: Write, why: str | None) -> ViewError:
    (action,) = write.request.values()
    names = sorted(action.get("Key") or dict(write.key))
    return ViewError(
        f"DynamoDB refuses the view's item in {action['TableName']!r}, whose key is "
        f"{' and '.join(map(repr, names))}: {why}"
    )
