"""Applies changes to a view: the view's writes and the items' marks in one transaction."""

from __future__ import annotations

from math import inf

from lambda_runtime._changes.changes import Remove
from lambda_runtime.views._contributions import ViewError
from lambda_runtime.views._marks import MOST_READ, Mark, Prepared, is_newer, mark_write, read_marks
from lambda_runtime.views._transactions import (
    MOST_ACTIONS,
    MOST_BYTES,
    TRIES,
    Busy,
    Write,
    pause,
    transact,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from lambda_runtime._changes.parsing import Change
    from lambda_runtime.views._contributions import Contribution, Key
    from lambda_runtime.views._projection import Projection
    from lambda_runtime.views._view import View

__all__ = ["ViewWriter"]


class ViewWriter:
    """Keeps a view's target up to date: `Router.aggregate` takes it.

    Args:
        view: What is kept: a `View` or a `Projection`.
        target: The table of the view's items. Its key is what the view groups by.
        marks: The table of marks, of the partition key `item` (text), with time to live on
            `_stream_expires_at`. Each target has marks of its own.
        since: For a view that is built beside a running one: a moment after its function was
            deployed, and at least five minutes before its backfill begins. What was made before
            comes with the backfill. None: the view sees all changes from the consumer's first on.
        client: A boto3 client of DynamoDB, or `FakeDynamoDB` of cdk_streams.testing in a test;
            None: one that is made when it is first used.
    """

    def __init__(
        self,
        view: View | Projection,
        *,
        target: str,
        marks: str,
        since: datetime | None = None,
        client: Any = None,
    ) -> None:
        if target == marks:
            raise ViewError(f"target and marks must be two tables, got {target!r} for both")
        if since is not None and since.tzinfo is None:
            raise ViewError(f"since must be a time with its zone, got {since.isoformat()}; add one")
        self.since = -inf if since is None else since.timestamp()
        self.view = view
        self.target = target
        self.marks = marks
        self._client = client

    def prepare(self, change: Change) -> Prepared:
        """Read what a change leads to, without any call.

        Raises:
            ViewError: The item does not fit the view.
            MissingImageError: The stream carries no new images.
        """
        gives = None if isinstance(change, Remove) else self.view.contribution(change.new)
        return Prepared(change, gives)

    def write(self, prepared: Sequence[Prepared]) -> Iterator[int]:
        """Apply changes, each of another item; yield how many are applied, again and again.

        A change that is not newer than its item's mark is applied already.
        """
        client = self._client or _client()
        for start in range(0, len(prepared), MOST_READ):
            chunk = prepared[start : start + MOST_READ]
            marks = read_marks(client, self.marks, [each.item for each in chunk])
            done = start
            for pack in _packs(chunk, marks):
                self._apply(client, pack, marks)
                done += len(pack)
                yield done

    def _apply(self, client: Any, pack: Sequence[Prepared], marks: dict[str, Mark]) -> None:
        """Write one transaction; after a conflict with another writer, read again and retry."""
        leaving: set[Key] = set()
        for tries in range(TRIES):
            fresh = [each for each in pack if is_newer(each, marks.get(each.item), self.since)]
            if not fresh:
                return
            writes = [self._mark_write(each, marks.get(each.item)) for each in fresh]
            writes += self._view_writes(fresh, marks, leaving)
            if len(writes) > MOST_ACTIONS:
                # Marks that were read again name groups that were not known before.
                for part in _packs(fresh, marks):
                    self._apply(client, part, marks)
                return
            failed = _attempt(client, writes, tries)
            if failed is None:
                return
            leaving ^= {writes[at].key for at in failed if at >= len(fresh)}
            for each in fresh:
                marks.pop(each.item, None)
            marks.update(read_marks(client, self.marks, [each.item for each in fresh]))
        raise ViewError(
            f"the items of {self.target!r} are not what the marks in {self.marks!r} say: something "
            "else writes there, or two source items have one key; build the view anew (rebuild=)"
        )

    def _mark_write(self, each: Prepared, before: Mark | None) -> Write:
        gives = each.contribution
        content = None if gives is None else self.view.stored(gives)
        return mark_write(self.marks, each, before, content)

    def _view_writes(
        self, fresh: Sequence[Prepared], marks: dict[str, Mark], leaving: set[Key]
    ) -> list[Write]:
        moves = []
        for each in fresh:
            before = _gave(marks.get(each.item))
            if before is not None:
                self.view.check(before)
            moves.append((each.item, before, each.contribution))
        return self.view.writes(self.target, moves, leaving)


def _attempt(client: Any, writes: Sequence[Write], tries: int) -> set[int] | None:
    """Write one transaction; return None when it is done, else which conditions did not hold."""
    try:
        failed = transact(client, writes)
    except Busy as busy:
        if tries == TRIES - 1:
            raise busy.error from None
        pause(tries)
        return set()
    if failed and tries:
        # A second look was out of date too: others change the same group just now.
        pause(tries - 1)
    return failed or None


def _gave(mark: Mark | None) -> Contribution | None:
    return None if mark is None else mark.contribution


def _packs(prepared: Sequence[Prepared], marks: dict[str, Mark]) -> Iterator[list[Prepared]]:
    """Cut changes, in order, into transactions of at most 100 actions and 4 MB."""
    pack: list[Prepared] = []
    keys: set[Key] = set()
    size = 0
    for each in prepared:
        both = (_gave(marks.get(each.item)), each.contribution)
        touched = {given.key for given in both if given is not None}
        bytes_more = (
            0 if each.contribution is None else len(str(each.contribution.content).encode())
        )
        if pack and (
            len(pack) + 1 + len(keys | touched) > MOST_ACTIONS or size + bytes_more > MOST_BYTES
        ):
            yield pack
            pack, keys, size = [], set(), 0
        pack.append(each)
        keys |= touched
        size += bytes_more
    if pack:
        yield pack


_clients: list[Any] = []


def _client() -> Any:
    if not _clients:
        import boto3  # noqa: PLC0415 - the first write pays for it, not the import
        from botocore.config import Config  # noqa: PLC0415 - the same

        config = Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 4},
            # What is written was encoded here; checking it again takes longer than making it.
            parameter_validation=False,
        )
        _clients.append(boto3.client("dynamodb", config=config))
    return _clients[0]
