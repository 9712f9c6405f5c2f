"""`Replica`: writes each change of a source table into its target, in the order of each item.

The changes of one item are written one after the other, those of different items at the same
time. A change that cannot be written fails its record: Lambda tries it again, and after the
retries it goes to the failure queue.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from lambda_runtime import Change, Modify, Remove, Router
from lambda_runtime._changes.parsing import change_of, records_of
from lambda_runtime._tables.conditional_writes import DELETED, padded
from lambda_runtime.replication._client import Client, client_for
from lambda_runtime.replication._errors import ReplicaError
from lambda_runtime.replication._inserts import Inserter, in_parallel
from lambda_runtime.replication._metrics import Tally, metric_line
from lambda_runtime.replication._requests import (
    OWNER,
    expiry,
    is_guard_attribute,
    put_request,
    tombstone_request,
)
from lambda_runtime.replication._settings import Settings
from lambda_runtime.replication._transform import (
    Attributes,
    Key,
    Transform,
    for_client,
    load_transform,
    owner_text,
    target_items,
)
from lambda_runtime.replication._two_way import (
    check_tombstone,
    check_version,
    is_conflict,
    is_replicated,
    put_version_request,
)

__all__ = ["Replica", "handler_from_environment"]


# One new item is put as any other.
_FEWEST_INSERTS = 2


class _Write(NamedTuple):
    """One request and what a refusal of it means."""

    request: dict[str, Any]
    is_put: bool


class Replica:
    """One replica of one table.

    Args:
        settings: What is written where.
        client: A client of the target; None makes one of boto3 at the first write.
        transform: The transform itself, in place of `settings.transform`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        client: Client | None = None,
        transform: Transform | None = None,
    ) -> None:
        self.settings = settings
        self._client = client
        if transform is None and settings.transform is not None:
            transform = load_transform(settings.transform)
        self._transform = transform
        self._inserter = Inserter()
        if settings.version is not None and transform is not None:
            raise ReplicaError(
                "a two-way replica must copy items as they are, got a transform; leave one out"
            )

    def handler(self, event: Any, context: Any = None) -> dict[str, Any]:
        """Handle a batch as `Router.handler` does, and print its metrics when they have a name."""
        tally = Tally()
        on = Router(concurrency=self.settings.concurrency)
        inserted = self._insert_new(records_of(event), tally)

        @on.default
        def replicate(change: Change) -> None:
            if change.event_id not in inserted:
                self.write(change, tally)

        response = on.handler(event, context)
        # Only Lambda turns the line into metrics; in a test it would be noise.
        if self.settings.name and "AWS_LAMBDA_LOG_GROUP_NAME" in os.environ:
            print(metric_line(self.settings.name, tally, event["Records"]))  # noqa: T201 - the embedded metric format is a line of output
        return response

    def write(self, change: Change, tally: Tally | None = None) -> bool:
        """Write one change; True when the target was changed by it.

        Raises:
            ReplicaError: It cannot be written; the message says what to do.
            MissingImageError: The stream does not carry the image that is needed.
        """
        if self.settings.skip_expired and isinstance(change, Remove) and change.expired:
            return False
        written = [self._send(each, tally or Tally()) for each in self._writes(change)]
        return any(written)

    def _insert_new(self, records: list[Any], tally: Tally) -> set[str]:
        """Insert the items of new source items, many in one request; return those changes' ids.

        A change that is not inserted whole, for whatever reason, is left to be written in its
        order: there it is named when it fails. The guard makes the order of writes no matter.
        """
        new: list[tuple[str, _Write]] = []
        for record in records:
            with suppress(Exception):  # The router meets the record again, and says what is wrong.
                if record["eventName"] == "INSERT":
                    change = change_of(record)
                    new += [(change.event_id, each) for each in self._writes(change)]
        if len(new) < _FEWEST_INSERTS:
            return set()
        ids = {id(write.request): event_id for event_id, write in new}
        client = self._client or client_for(self.settings)

        def insert(batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
            try:
                return self._inserter.insert(client, batch)
            except Exception:  # noqa: BLE001 - they are put one by one, where each can be named
                return batch

        batches = list(self._inserter.batches([write.request for _, write in new]))
        left = [
            each
            for batch in in_parallel(insert, batches, self.settings.concurrency)
            for each in batch
        ]
        for _ in range(len(new) - len(left)):
            tally.add("writes")
        return {event_id for event_id, _ in new} - {ids[id(request)] for request in left}

    def _writes(self, change: Change) -> list[_Write]:
        return self._versioned(change) if self.settings.version else self._guarded(change)

    def _guarded(self, change: Change) -> list[_Write]:
        """The writes of a one-way replica: items of the new image, tombstones for the old keys."""
        table, mark = self.settings.table, padded(change.sequence_number)
        keys = self.settings.keys or tuple(change.keys.raw)
        new: dict[Key, Attributes] = {}
        if not isinstance(change, Remove):
            new = target_items(change.new.raw, keys, self._transform)
        gone = [key for key in self._old_keys(change, keys) if key not in new]
        owner = None if self._transform is None else owner_text(change.keys.raw)
        at = change.created_at.timestamp()
        writes = [_Write(put_request(table, item, mark, owner), True) for item in new.values()]
        for key in gone:
            typed = {name: {tag: value} for name, (tag, value) in zip(keys, key, strict=True)}
            writes.append(_Write(tombstone_request(table, typed, mark, at, owner), False))
        return writes

    def _old_keys(self, change: Change, keys: tuple[str, ...]) -> list[Key]:
        """The keys under which the target may hold what the source item was before."""
        if self._transform is not None:
            has_old = isinstance(change, (Modify, Remove))
            return list(target_items(change.old.raw, keys, self._transform)) if has_old else []
        is_tombstone = not isinstance(change, Remove) and DELETED in change.new.raw
        if is_tombstone or (
            isinstance(change, Remove) and not (change.has_old and DELETED in change.old.raw)
        ):
            return list(target_items(change.keys.raw, keys, None))
        return []

    def _versioned(self, change: Change) -> list[_Write]:
        """The write of a two-way replica: the item or its tombstone, unless it came from there."""
        version = str(self.settings.version)
        source, target = self._origins(change)
        if isinstance(change, Remove):
            old = change.old.raw
            if DELETED in old:
                return []
            item = {name: old[name] for name in (*change.keys.raw, version) if name in old}
            item |= expiry(change.created_at.timestamp())
        elif DELETED in (new := change.new.raw):
            check_tombstone(new, version)
            # Told to the table that the delete came from too, so that both refuse older writes.
            item = new
        else:
            check_version(new, version)
            if is_replicated(new, change.old.raw if change.has_old else None, version):
                return []
            item = {name: value for name, value in new.items() if not is_guard_attribute(name)}
        item = {name: for_client(value) for name, value in item.items()}
        request = put_version_request(
            self.settings.table, item, version, source, wins_ties=source < target
        )
        return [_Write(request, DELETED not in item)]

    def _origins(self, change: Change) -> tuple[str, str]:
        """The names of both tables: `region/account/table`."""
        source = change.source
        arn = self.settings.table.split(":")
        name = arn[-1].removeprefix("table/")
        role = (self.settings.role_arn or "").split(":")
        region = self.settings.region or (arn[3] if len(arn) > 1 else source.region)
        account = next(
            (parts[4] for parts in (arn, role) if len(parts) > 1 and parts[4]), source.account
        )
        return (
            f"{source.region}/{source.account}/{source.table}",
            f"{region}/{account}/{name}",
        )

    def _send(self, write: _Write, tally: Tally) -> bool:
        client = self._client or client_for(self.settings)
        try:
            client.put_item(**write.request)
        except Exception as error:
            # botocore's ClientError, told by its content so that botocore is not imported here.
            response = getattr(error, "response", None) or {}
            if response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise self._explained(error) from error
            tally.add(self._refused(write, response.get("Item") or {}))
            return False
        tally.add("writes")
        return True

    def _refused(self, write: _Write, there: Attributes) -> str:
        """Return the result of a refused write; raise ReplicaError when two items have one key."""
        item = write.request["Item"]
        if self.settings.version:
            lost = write.is_put and is_conflict(item, there, self.settings.version)
            return "conflicts" if lost else "superseded"
        owners = item.get(OWNER), there.get(OWNER)
        if write.is_put and there and owners[0] != owners[1]:
            raise ReplicaError(
                "the transform must give two source items different keys, got one key for "
                f"{_text(owners[0])} and {_text(owners[1])}; put the source's key into the target's"
            )
        return "superseded"

    def _explained(self, error: Exception) -> Exception:
        if getattr(error, "operation_name", "") == "AssumeRole":
            return ReplicaError(
                f"the role {self.settings.role_arn} must let this function assume it, got a "
                "refusal of STS; deploy the target's stack first and name this function's account"
            )
        return error


def handler_from_environment(event: Any, context: Any = None) -> dict[str, Any]:
    """Lambda's handler of a `TableReplica`: a replica as the environment describes it."""
    return _replica(Settings.from_environment()).handler(event, context)


@lru_cache(maxsize=8)
def _replica(settings: Settings) -> Replica:
    return Replica(settings)


def _text(owner: dict[str, Any] | None) -> str:
    # Names only: a message ends in logs, and values are somebody's data.
    names = ", ".join(json.loads(owner["S"])) if owner else ""
    return f"an item with the key ({names})" if names else "an item of no source"
