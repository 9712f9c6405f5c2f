"""One event source mapping run for real: the poller's effects carried out against real services.

Every rule is in `cdk_streams.poller`; this file only reads, calls, sends, waits and keeps
positions, and tells an observer what happened in which order.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.errors import StreamsError
from cdk_streams.lambda_local._environment import Answer
from cdk_streams.live._checkpoints import Position, PositionStore
from cdk_streams.live._destinations import Delivery
from cdk_streams.live._executor import Follow, Work
from cdk_streams.live._shard_reader import (
    AfterNumber,
    AtEnd,
    AtStart,
    Page,
    ShardReader,
    Since,
    StartAt,
)
from cdk_streams.live._streams_api import Shard, StreamsApi, list_shards, read_error
from cdk_streams.poller import (
    CallEnded,
    Checkpoint,
    Effect,
    Errored,
    Event,
    EventSourceMapping,
    FailureSent,
    Invoke,
    Outcome,
    Poller,
    Read,
    ReadFailed,
    RecordsRead,
    Returned,
    SendFailure,
    ShardDone,
    ShardSeen,
    ShardsListed,
    Throttled,
    WakeAt,
    Woken,
    begin,
    invocation_event,
    sequence_number,
    step,
)

__all__ = ["CallTaken", "Consumer", "Invoker", "Notice", "Observer", "Trouble", "outcome_of"]

# How often the stream is described although no shard has ended, and how soon after a failure.
_DESCRIBE_EVERY_MS = 5_000
_DESCRIBE_AGAIN_MS = 1_000
# A page this large was cut by DynamoDB's 1 MB, not by the end of what is there.
_CUT_PAGE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is no event of the poller; `where` is a shard, or "" for the stream."""

    what: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class CallTaken:
    """The function's answer to `invoke`, with its logs and duration."""

    invoke: Invoke
    answer: Answer


Notice: TypeAlias = Event | Effect | Trouble | CallTaken
Observer: TypeAlias = Callable[[int, Notice], None]
Invoker: TypeAlias = Callable[[Any, str], Answer]


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at_ms: int
    order: int
    act: Callable[[], None] = field(compare=False)


class Consumer:
    """Reads one stream for one function: `start`, then `turn` again and again.

    `name` keeps its positions apart from other consumers'. `invoke(event, request_id)` calls the
    function. `observe(at_ms, notice)` sees every event, effect and trouble in order, on the thread
    that turns the consumer; it must not block.
    """

    def __init__(
        self,
        name: str,
        mapping: EventSourceMapping,
        *,
        api: StreamsApi,
        invoke: Invoker,
        deliver: Delivery,
        positions: PositionStore,
        work: Work,
        observe: Observer = lambda _at_ms, _notice: None,
    ) -> None:
        self.name = name
        self._mapping = mapping
        self._api = api
        self._invoke = invoke
        self._deliver = deliver
        self._positions = positions
        self._work = work
        self._observe = observe
        self._order = itertools.count()
        self._due: list[_Due] = []
        # Each with the `after` of the read that it can answer.
        self._readers: dict[str, tuple[str | None, ShardReader]] = {}
        self._listed: frozenset[str] = frozenset()
        self._describing = False
        self._describe_again = False
        self._next_describe = 0
        self._poller: Poller = self._begin()

    def start(self) -> None:
        """Ask for the stream's shards; everything else follows from them."""
        self._describe()

    def turn(self) -> None:
        """Wait for the next thing to happen, and carry out what follows from it."""
        follow = self._work.wait(self._due[0].at_ms if self._due else None)
        if follow is not None:
            follow()
        while self._due and self._due[0].at_ms <= self._work.now_ms():
            heapq.heappop(self._due).act()

    def happen(self, event: Event) -> None:
        """Give the poller an event, such as `Disabled()`, and carry out its effects."""
        now_ms = self._work.now_ms()
        self._observe(now_ms, event)
        self._poller, effects = step(self._mapping, self._poller, event, now_ms)
        for effect in effects:
            self._observe(now_ms, effect)
            self._carry_out(effect)

    def _begin(self) -> Poller:
        """Return a poller that goes on from the kept positions."""
        stream, now_s = self._mapping.stream_arn, self._work.now_ms() / 1000
        kept = self._positions.load(self.name, stream)
        began_s = self._positions.began(self.name, stream, now_s)
        self._unread: StartAt = AtStart()
        if self._mapping.settings.starting_position == "LATEST" and began_s < now_s:
            # LATEST was the stream's end at the very first start. From then on every shard counts
            # from its start, but for the records from before that moment.
            self._unread = Since(began_s)
            settings = replace(self._mapping.settings, starting_position="TRIM_HORIZON")
            self._mapping = replace(self._mapping, settings=settings)
        self._numbers = {shard_id: each.number for shard_id, each in kept.items()}
        open_ones = {shard_id: each for shard_id, each in kept.items() if not each.done}
        return begin(
            checkpoints={
                shard_id: each.number
                for shard_id, each in open_ones.items()
                if each.number is not None
            },
            windows={
                shard_id: each.window
                for shard_id, each in open_ones.items()
                if each.window is not None
            },
            finished=[shard_id for shard_id, each in kept.items() if each.done],
        )

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Read():
                self._at(effect.at_ms, lambda: self._work.submit(lambda: self._read(effect)))
            case Invoke():
                self._work.submit(lambda: self._call(effect))
            case SendFailure() if effect.destination is not None:
                self._work.submit(lambda: self._send(effect))
            case WakeAt(shard_id, lane, timer, at_ms):
                self._at(at_ms, lambda: self.happen(Woken(shard_id, lane, timer)))
            case Checkpoint(shard_id, number, window):
                self._numbers[shard_id] = number
                self._keep(shard_id, Position(number, window=window))
            case ShardDone(shard_id):
                self._keep(shard_id, Position(self._numbers.get(shard_id), done=True))
                self._readers.pop(shard_id, None)
                self._describe()
            case _:
                pass  # Settled and Measure are for the observer, who has seen them.

    def _keep(self, shard_id: str, position: Position) -> None:
        self._positions.save(self.name, self._mapping.stream_arn, shard_id, position)

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        if at_ms <= self._work.now_ms():
            act()
        else:
            heapq.heappush(self._due, _Due(at_ms, next(self._order), act))

    def _trouble(self, what: str, where: str = "") -> None:
        self._observe(self._work.now_ms(), Trouble(what, where))

    # What follows runs on the threads of `work`, up to the `return` of what to do with the answer.

    def _read(self, effect: Read) -> Follow:
        # Taken out of the dictionary, a reader is this thread's own.
        after, reader = self._readers.pop(effect.shard_id, (None, None))
        if reader is None or after != effect.after:
            start = self._from(effect)
            reader = ShardReader(self._api, self._mapping.stream_arn, effect.shard_id, start)
        page = reader.read(effect.limit)
        last = sequence_number(page.records[-1]) if page.records else effect.after
        self._readers[effect.shard_id] = (last, reader)
        return lambda: self._have_read(effect, page)

    def _from(self, effect: Read) -> StartAt:
        if effect.after is not None:
            return AfterNumber(effect.after)
        if effect.start == "LATEST":
            return AtEnd(self._work.now_ms() / 1000)
        return self._unread

    def _have_read(self, effect: Read, page: Page) -> None:
        shard_id = effect.shard_id
        if page.trimmed:
            self._trouble("records left the stream before they were read", shard_id)
        if page.error is None:
            self.happen(
                RecordsRead(shard_id, effect.read, page.records, _is_cut(page, effect), page.closed)
            )
        elif page.gone and self._listed and shard_id not in self._listed:
            self._trouble("the shard left the stream before it was read to its end", shard_id)
            self.happen(RecordsRead(shard_id, effect.read, closed=True))
        else:
            self.happen(ReadFailed(shard_id, effect.read, page.error))

    def _call(self, effect: Invoke) -> Follow:
        try:
            answer = self._invoke(
                invocation_event(effect, self._mapping.stream_arn), effect.request_id
            )
        except (OSError, StreamsError) as error:
            reason = str(error)
            return lambda: self._not_called(effect, reason)
        return lambda: self._called(effect, answer)

    def _called(self, effect: Invoke, answer: Answer) -> None:
        self._observe(self._work.now_ms(), CallTaken(effect, answer))
        self.happen(CallEnded(effect.shard_id, effect.lane, effect.call, outcome_of(answer)))

    def _not_called(self, effect: Invoke, reason: str) -> None:
        self._trouble(f"the function could not be called: {reason}", effect.shard_id)
        self.happen(CallEnded(effect.shard_id, effect.lane, effect.call, Throttled()))

    def _send(self, effect: SendFailure) -> Follow:
        refused = self._deliver(effect)
        return lambda: self._sent(effect, refused)

    def _sent(self, effect: SendFailure, refused: str | None) -> None:
        if refused is not None:
            self._trouble(f"the failure record was refused and is lost: {refused}", effect.shard_id)
        self.happen(FailureSent(effect.shard_id, effect.lane, effect.call, refused is None))

    def _describe(self) -> None:
        self._describe_again = self._describing
        if not self._describing:
            self._describing = True
            self._work.submit(self._list)

    def _list(self) -> Follow:
        try:
            shards = list_shards(self._api, self._mapping.stream_arn)
        except (ClientError, BotoCoreError) as error:
            reason = read_error(error).text
            return lambda: self._not_described(reason)
        return lambda: self._described(shards)

    def _described(self, shards: tuple[Shard, ...]) -> None:
        self._listed = frozenset(shard.id for shard in shards)
        self._describing = False
        self._describe_in(_DESCRIBE_EVERY_MS)
        self.happen(
            ShardsListed(
                tuple(
                    ShardSeen(shard.id, (shard.parent,) if shard.parent else (), shard.closed)
                    for shard in shards
                )
            )
        )
        if self._describe_again:
            self._describe()

    def _not_described(self, reason: str) -> None:
        self._describing = False
        self._trouble(f"the stream could not be described: {reason}")
        self._describe_in(_DESCRIBE_AGAIN_MS)

    def _describe_in(self, wait_ms: int) -> None:
        """Describe the stream after a while, unless it is described before for another reason."""
        self._next_describe += 1
        this_one = self._next_describe

        def describe() -> None:
            if this_one == self._next_describe:
                self._describe()

        self._at(self._work.now_ms() + wait_ms, describe)


def outcome_of(answer: Answer) -> Outcome:
    """Return what an answer means to the poller."""
    if answer.throttled:
        return Throttled()
    if answer.function_error is not None:
        return Errored(answer.function_error)
    if not answer.body:
        return Returned(None)
    try:
        return Returned(json.loads(answer.body))
    except ValueError:
        return Errored()


def _is_cut(page: Page, effect: Read) -> bool:
    """Tell whether the shard holds more right now than the page could carry."""
    size_bytes = sum(record["dynamodb"].get("SizeBytes", 0) for record in page.records)
    return len(page.records) >= effect.limit or size_bytes >= _CUT_PAGE_BYTES
