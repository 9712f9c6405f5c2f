"""Repair of a replica: the items that a comparison found to differ, written as they should be.

Each write is on the condition that the target still holds what was found, so that a change which
the stream brings meanwhile stays. The repaired item keeps the mark that was found: every later
change of the stream is newer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cdk_streams.data._comparison import Difference
from cdk_streams.data._side import Attributes, Side
from cdk_streams.errors import SourceError
from lambda_runtime import encode
from lambda_runtime.replication import (
    ORIGIN,
    OWNER,
    SEQUENCE,
    Transform,
    backfill_mark,
    conditional_put,
    expiry,
    owner_text,
)

__all__ = ["RepairResult", "repair"]


@dataclass(frozen=True, slots=True)
class RepairResult:
    """The result of a repair.

    `written` items are as they should be, `removed` ones are tombstones; `changed` ones were
    written by someone else since they were compared, and are left alone.
    """

    written: int = 0
    removed: int = 0
    changed: int = 0


def repair(
    target: Side,
    differences: Iterable[Difference],
    *,
    transform: Transform | None = None,
    clock: Callable[[], float] = time.time,
) -> RepairResult:
    """Write the items of the target that differ.

    Args:
        target: The table to repair.
        differences: What `compare` found.
        transform: That of the replica.
        clock: Seconds since 1970.

    Raises:
        SourceError: The replica is two-way: which side is right, only the application knows.

    """
    differences = list(differences)
    if any(ORIGIN in (each.found or {}) for each in differences):
        raise SourceError(
            "a two-way replica cannot be repaired from one side, got items of one; write the "
            "items again in the application, with a higher version"
        )
    written = removed = changed = 0
    for each in differences:
        if not _put(target, _request(target, each, transform, clock())):
            changed += 1
        elif each.expected is None:
            removed += 1
        else:
            written += 1
    return RepairResult(written, removed, changed)


def _request(
    target: Side, difference: Difference, transform: Transform | None, now_s: float
) -> dict[str, object]:
    item: Attributes = dict(difference.expected or target.key_of(difference.found or {}))
    if difference.expected is None:
        item |= expiry(now_s)
    if transform is not None and difference.source_key is not None:
        item[OWNER] = {"S": owner_text(difference.source_key)}
    mark = difference.mark
    item[SEQUENCE] = mark or encode(backfill_mark(now_s), binary="bytes")
    names = {"#sequence": SEQUENCE}
    if mark is not None:
        return conditional_put(target.table, item, "#sequence = :found", names, {":found": mark})
    request = conditional_put(target.table, item, "attribute_not_exists(#sequence)", names, {})
    del request["ExpressionAttributeValues"]
    return request


def _put(target: Side, request: dict[str, object]) -> bool:
    try:
        target.client.put_item(**request)
    except Exception as error:
        response = getattr(error, "response", None) or {}
        if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
            return False
        raise
    return True
