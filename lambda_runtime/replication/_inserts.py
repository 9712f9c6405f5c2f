"""New items, 25 a request: PartiQL inserts, each of which fails alone when its key is taken.

An insert is a put on the condition that there is no such item, so it keeps what every guard asks
for, and it costs what a put costs. What could not be inserted is put one by one, under the guard.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["Inserter", "in_parallel"]

Request = dict[str, Any]
"""The arguments of a client's `put_item`, with its guard."""
_STATEMENTS = 25
_BATCH_BYTES = 1_000_000
_STATEMENT_LENGTH = 8_192
# The API is not there (some local ones), or not allowed.
_REFUSED = (
    "AccessDeniedException",
    "UnknownOperationException",
    "UnknownOperation",
    "InvalidAction",
    "ValidationException",
)


class Inserter:
    """Inserts the items of guarded puts; once the API was refused, it inserts nothing more."""

    def __init__(self) -> None:
        self._works = True

    def insert(self, client: Any, batch: list[Request]) -> list[Request]:
        """Insert up to 25 items; return the requests of those that are to be put.

        Raises:
            Exception: The request failed as a whole; nothing is known of its items.
        """
        call = getattr(client, "batch_execute_statement", None)
        if not self._works or call is None:
            return batch
        statements = [_statement(each["TableName"], each["Item"]) for each in batch]
        if any(len(each["Statement"]) > _STATEMENT_LENGTH for each in statements):
            return batch
        try:
            answers = call(Statements=statements)["Responses"]
        except Exception as error:
            response = getattr(error, "response", None) or {}
            if response.get("Error", {}).get("Code") not in _REFUSED:
                raise
            self._works = False
            return batch
        pairs = zip(batch, answers, strict=True)
        return [request for request, answer in pairs if "Error" in answer]

    @staticmethod
    def batches(requests: Sequence[Request]) -> Iterator[list[Request]]:
        """Split requests by count and by size."""
        batch: list[Request] = []
        size = 0
        for request in requests:
            length = sum(len(str(value)) for value in request["Item"].values())
            if batch and (len(batch) == _STATEMENTS or size + length > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(request)
            size += length
        if batch:
            yield batch


def in_parallel(
    work: Callable[[list[Request]], list[Request]], batches: list[list[Request]], threads: int
) -> list[list[Request]]:
    """Do the work of each batch, on up to so many threads; the answers in the order of batches."""
    if threads == 1 or len(batches) == 1:
        return list(map(work, batches))
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not for the cold start

    with ThreadPoolExecutor(min(threads, len(batches))) as pool:
        return list(pool.map(work, batches))


def _statement(table: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """`INSERT INTO "Copy" VALUE {'pk': ?}` with the item's values as parameters."""
    names = ", ".join("'" + name.replace("'", "''") + "': ?" for name in item)
    return {
        "Statement": f'INSERT INTO "{table}" VALUE {{{names}}}',
        "Parameters": list(item.values()),
    }
