"""Items that a table held before its replica was made: written under the guard of the replica.

A backfill may run at any time after the replica's consumer has started, be interrupted, and run
again: what the stream brought is newer than what was read, so it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lambda_runtime.replication._client import client_for
from lambda_runtime.replication._errors import ReplicaError
from lambda_runtime.replication._inserts import Inserter
from lambda_runtime.replication._requests import put_request
from lambda_runtime.replication._settings import Settings
from lambda_runtime.replication._transform import (
    Transform,
    load_transform,
    owner_text,
    target_items,
)
from lambda_runtime.replication._two_way import put_version_request

__all__ = ["BackfillWriter", "Counts"]


class Counts(NamedTuple):
    """How the copies of some source items ended.

    Attributes:
        read: Source items.
        written: Target items that were written.
        superseded: Target items that were there already, newer or the same.
        failures: A sentence for each source item that could not be written.
    """

    read: int = 0
    written: int = 0
    superseded: int = 0
    failures: tuple[str, ...] = ()

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            self.read + other.read,
            self.written + other.written,
            self.superseded + other.superseded,
            (*self.failures, *other.failures),
        )


class BackfillWriter:
    """Writes source items into the target of a replica; safe to call from several threads.

    Args:
        settings: Those of the replica.
        source_keys: The key attributes of the source.
        client: A client of the target; None makes one of boto3.
        transform: The transform itself, in place of `settings.transform`.
        origin: Of a two-way replica: where the items come from, `region/account/table`.
    """

    def __init__(
        self,
        settings: Settings,
        source_keys: tuple[str, ...],
        *,
        client: Any = None,
        transform: Transform | None = None,
        origin: str = "",
    ) -> None:
        if transform is None and settings.transform is not None:
            transform = load_transform(settings.transform)
        self._settings = settings
        self._source_keys = source_keys
        self._client: Any = client or client_for(settings)
        self._transform = transform
        self._origin = origin
        self._inserter = Inserter()

    def write(self, items: Iterable[Mapping[str, Any]], mark: str) -> Counts:
        """Write what source items stand for.

        Args:
            items: Source items in typed values, B as bytes or as base64 text.
            mark: The `backfill_mark` of the time before which they were read.
        """
        requests: list[dict[str, Any]] = []
        read = 0
        failures: list[str] = []
        for raw in items:
            read += 1
            try:
                requests += self._requests(raw, mark)
            except ReplicaError as error:
                failures.append(f"{self._shown(raw)}: {error}")
        taken: list[dict[str, Any]] = []
        for batch in self._inserter.batches(requests):
            taken += self._inserter.insert(self._client, batch)
        written = sum(map(self._put, taken))
        inserted = len(requests) - len(taken)
        return Counts(read, inserted + written, len(taken) - written, tuple(failures))

    def _requests(self, raw: Mapping[str, Any], mark: str) -> list[dict[str, Any]]:
        settings = self._settings
        keys = settings.keys or self._source_keys
        made = target_items(raw, keys, self._transform).values()
        if settings.version is not None:
            return [
                put_version_request(
                    settings.table, item, settings.version, self._origin, wins_ties=False
                )
                for item in made
            ]
        owner = None
        if self._transform is not None:
            owner = owner_text({name: raw[name] for name in self._source_keys})
        return [put_request(settings.table, item, mark, owner) for item in made]

    def _put(self, request: dict[str, Any]) -> bool:
        try:
            self._client.put_item(**request)
        except Exception as error:
            response = getattr(error, "response", None) or {}
            if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _shown(self, raw: Mapping[str, Any]) -> str:
        keys = {name: raw.get(name) for name in self._source_keys}
        return ", ".join(
            f"{name}={next(iter(value.values()))!r}" for name, value in keys.items() if value
        )
