"""The driver of one event source mapping: carries out the poller's effects on real services.

Every rule is in `cdk_streams.poller`. The driver reads, invokes, sends, waits and keeps
checkpoints, and reports each event and effect in order.
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
from cdk_streams.lambda_local import InvokeResponse
from cdk_streams.live._checkpoints import CheckpointStore, ShardCheckpoint
from cdk_streams.live._destinations import Delivery
from cdk_streams.live._executor import Continuation, Executor
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

__all__ = [
    "InvocationFinished",
    "Invoker",
    "MappingDriver",
    "Notice",
    "NoticeSink",
    "Problem",
    "invocation_outcome",
]

# How often the stream is described although no shard has ended, and how soon after a failure.
_DESCRIBE_EVERY_MS = 5_000
_DESCRIBE_AGAIN_MS = 1_000
# A page this large was cut by DynamoDB's 1 MB, not by the end of what is there.
_CUT_PAGE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure outside the poller's protocol; `where` is a shard id, or "" for the stream."""

    what: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class InvocationFinished:
    """The response to `invoke`, with its logs and duration."""

    invoke: Invoke
    response: InvokeResponse


Notice: TypeAlias = Event | Effect | Problem | InvocationFinished
"""What an observer gets: the events and effects of a poller, and what failed around it."""
NoticeSink: TypeAlias = Callable[[int, Notice], None]
Invoker: TypeAlias = Callable[[Any, str], InvokeResponse]


@dataclass(frozen=True, slots=True, order=True)
class _Due:
    at_ms: int
    order: int
    act: Callable[[], None] = field(compare=False)


class MappingDriver:
    """Reads one stream for one function: call `start`, then `run_once` repeatedly.

    `name` is the key of its checkpoints. `invoke(event, request_id)` invokes the function.
    `on_notice(at_ms, notice)` gets every event, effect and problem in order, on the thread that
    calls `run_once`, and must not block.
    """

    def __init__(
        self,
        name: str,
        mapping: EventSourceMapping,
        *,
        api: StreamsApi,
        invoke: Invoker,
        deliver: Delivery,
        checkpoints: CheckpointStore,
        executor: Executor,
        on_notice: NoticeSink = lambda _at_ms, _notice: None,
    ) -> None:
        self.name = name
        self._mapping = mapping
        self._api = api
        self._invoke = invoke
        self._deliver = deliver
        self._checkpoints = checkpoints
        self._executor = executor
        self._on_notice = on_notice
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
        """Request the stream's shards; the poller asks for everything else."""
        self._describe()

    def run_once(self) -> None:
        """Wait for the next thing to happen, and carry out what follows from it."""
        continuation = self._executor.wait(self._due[0].at_ms if self._due else None)
        if continuation is not None:
            continuation()
        while self._due and self._due[0].at_ms <= self._executor.now_ms():
            heapq.heappop(self._due).act()

    def handle(self, event: Event) -> None:
        """Feed the poller an event, such as `Disabled()`, and carry out its effects."""
        now_ms = self._executor.now_ms()
        self._on_notice(now_ms, event)
        self._poller, effects = step(self._mapping, self._poller, event, now_ms)
        for effect in effects:
            self._on_notice(now_ms, effect)
            self._carry_out(effect)

    def _begin(self) -> Poller:
        """Return a poller that continues from the stored checkpoints."""
        stream, now_s = self._mapping.stream_arn, self._executor.now_ms() / 1000
        kept = self._checkpoints.load(self.name, stream)
        began_s = self._checkpoints.began(self.name, stream, now_s)
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
                self._at(effect.at_ms, lambda: self._executor.submit(lambda: self._read(effect)))
            case Invoke():
                self._executor.submit(lambda: self._call(effect))
            case SendFailure() if effect.destination is not None:
                self._executor.submit(lambda: self._send(effect))
            case WakeAt(shard_id, lane, timer, at_ms):
                self._at(at_ms, lambda: self.handle(Woken(shard_id, lane, timer)))
            case Checkpoint(shard_id, number, window):
                self._numbers[shard_id] = number
                self._keep(shard_id, ShardCheckpoint(number, window=window))
            case ShardDone(shard_id):
                self._keep(shard_id, ShardCheckpoint(self._numbers.get(shard_id), done=True))
                self._readers.pop(shard_id, None)
                self._describe()
            case _:
                pass  # Settled and Measure are for the observer, who has seen them.

    def _keep(self, shard_id: str, position: ShardCheckpoint) -> None:
        self._checkpoints.save(self.name, self._mapping.stream_arn, shard_id, position)

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        if at_ms <= self._executor.now_ms():
            act()
        else:
            heapq.heappush(self._due, _Due(at_ms, next(self._order), act))

    def _report(self, what: str, where: str = "") -> None:
        self._on_notice(self._executor.now_ms(), Problem(what, where))

    # These run on the threads of `executor`; the continuations they return run on the driver's own.

    def _read(self, effect: Read) -> Continuation:
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
            return AtEnd(self._executor.now_ms() / 1000)
        return self._unread

    def _have_read(self, effect: Read, page: Page) -> None:
        shard_id = effect.shard_id
        if page.trimmed:
            self._report("records left the stream before they were read", shard_id)
        if page.error is None:
            self.handle(
                RecordsRead(shard_id, effect.read, page.records, _is_cut(page, effect), page.closed)
            )
        elif page.gone and self._listed and shard_id not in self._listed:
            self._report("the shard left the stream before it was read to its end", shard_id)
            self.handle(RecordsRead(shard_id, effect.read, closed=True))
        else:
            self.handle(ReadFailed(shard_id, effect.read, page.error))

    def _call(self, effect: Invoke) -> Continuation:
        try:
            answer = self._invoke(
                invocation_event(effect, self._mapping.stream_arn), effect.request_id
            )
        except (OSError, StreamsError) as error:
            reason = str(error)
            return lambda: self._not_called(effect, reason)
        return lambda: self._called(effect, answer)

    def _called(self, effect: Invoke, answer: InvokeResponse) -> None:
        self._on_notice(self._executor.now_ms(), InvocationFinished(effect, answer))
        self.handle(
            CallEnded(effect.shard_id, effect.lane, effect.call, invocation_outcome(answer))
        )

    def _not_called(self, effect: Invoke, reason: str) -> None:
        self._report(f"the function could not be called: {reason}", effect.shard_id)
        self.handle(CallEnded(effect.shard_id, effect.lane, effect.call, Throttled()))

    def _send(self, effect: SendFailure) -> Continuation:
        refused = self._deliver(effect)
        return lambda: self._sent(effect, refused)

    def _sent(self, effect: SendFailure, refused: str | None) -> None:
        if refused is not None:
            self._report(f"the failure record was refused and is lost: {refused}", effect.shard_id)
        self.handle(FailureSent(effect.shard_id, effect.lane, effect.call, refused is None))

    def _describe(self) -> None:
        self._describe_again = self._describing
        if not self._describing:
            self._describing = True
            self._executor.submit(self._list)

    def _list(self) -> Continuation:
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
        self.handle(
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
        self._report(f"the stream could not be described: {reason}")
        self._describe_in(_DESCRIBE_AGAIN_MS)

    def _describe_in(self, wait_ms: int) -> None:
        """Describe the stream after this time, unless another cause describes it earlier."""
        self._next_describe += 1
        this_one = self._next_describe

        def describe() -> None:
            if this_one == self._next_describe:
                self._describe()

        self._at(self._executor.now_ms() + wait_ms, describe)


def invocation_outcome(answer: InvokeResponse) -> Outcome:
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
