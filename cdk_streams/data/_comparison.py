"""Comparison of a table with its replica: which items differ, by key, and in what.

The source is read and each expected item looked up in the target; the target is read and each of
its items looked up in the source. Both run in parallel. An item that differs is looked at again
after the lag of the replica: only what still differs then counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from cdk_streams.data._expected import (
    ExpectedItem,
    data_of,
    distinct,
    expected_items,
    found_items,
    hashed,
    is_tombstone,
    source_key_of,
)
from cdk_streams.data._side import Attributes, Side, check_scan, scan_segment
from lambda_runtime import decode
from lambda_runtime.replication import SEQUENCE, Transform

__all__ = ["Comparison", "Difference", "compare"]

Kind = Literal["missing", "different", "extra"]
_MOST = 10_000
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """One item of the target that is not what the source says.

    Attributes:
        kind: "missing" in the target, "different", or "extra": the source has nothing for it.
        key: The key of the target item in Python's values.
        attributes: Of a different item: `{name: (expected, found)}`, None where there is none.
        expected: What the target should hold, in typed values; None for an extra item.
        found: What it holds, in typed values and with the guard's attributes; None for nothing.
        source_key: The key of the source item in typed values; None where nobody knows it.

    """

    kind: Kind
    key: dict[str, Any]
    attributes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    expected: Attributes | None = None
    found: Attributes | None = None
    source_key: Attributes | None = None

    @property
    def mark(self) -> dict[str, Any] | None:
        """The guard's mark of what was found, a typed value."""
        return (self.found or {}).get(SEQUENCE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison.

    `faults` has a sentence for each source item that the transform refuses. `is_truncated`: more
    items differ than are listed.
    """

    source_items: int
    target_items: int
    differences: tuple[Difference, ...]
    faults: tuple[str, ...] = ()
    is_truncated: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether the target is what the source says."""
        return not (self.differences or self.faults)


class _Suspect(NamedTuple):
    """An item that may differ: the target's key, and the source's where it is known."""

    key: Attributes
    source_key: Attributes | None


def compare(
    source: Side,
    target: Side,
    *,
    transform: Transform | None = None,
    segments: int = 4,
    lag_s: float = 10,
    rounds: int = 3,
    observe: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Comparison:
    """Compare the target of a replica with its source.

    Args:
        source: The replica's source.
        target: Its target.
        transform: Its transform.
        segments: How many segments of each side are scanned at a time, 1 to 1,000.
        lag_s: How long to wait before items that differ are looked at again, in seconds.
        rounds: How often, at most, from 0; items that agree then are left out.
        observe: Called with how many more items of either side are compared, in several threads.
        sleep: Waits for so many seconds.

    Raises:
        SourceError: Segments, lag or rounds out of range.

    """
    check_scan(segments, lag_s, rounds)
    state = _State(source, target, transform, observe)
    with ThreadPoolExecutor(2 * segments) as threads:
        done = [threads.submit(state.check_source, each, segments) for each in range(segments)]
        done += [threads.submit(state.check_target, each, segments) for each in range(segments)]
        for each in done:
            each.result()
    differences = state.again(list(state.suspects.values())) if state.suspects else []
    for _ in range(rounds):
        if not differences:
            break
        sleep(lag_s)
        differences = state.again(
            [_Suspect(_key(target, each), each.source_key) for each in differences]
        )
    return Comparison(
        state.source_items,
        state.target_items,
        tuple(differences),
        tuple(state.faults),
        is_truncated=state.is_full,
    )


def _key(target: Side, difference: Difference) -> Attributes:
    item = difference.expected or difference.found or {}
    return target.key_of(item)


class _State:
    """What the threads of one comparison share."""

    def __init__(
        self,
        source: Side,
        target: Side,
        transform: Transform | None,
        observe: Callable[[int], None],
    ) -> None:
        self.source, self.target, self.transform = source, target, transform
        self.observe = observe
        self.suspects: dict[Any, _Suspect] = {}
        self.faults: list[str] = []
        self.source_items = self.target_items = 0
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether so many items differ that the rest is not listed."""
        return len(self.suspects) >= _MOST

    def check_source(self, segment: int, segments: int) -> None:
        """Look up what each source item stands for."""
        for page in scan_segment(self.source, segment, segments):
            if self.is_full:
                return
            for start in range(0, len(page.items), _CHUNK):
                chunk = page.items[start : start + _CHUNK]
                expected = expected_items(chunk, self.source, self.target, self.transform)
                found = found_items(self.target, [each.key for each in expected.items.values()])
                for key, each in expected.items.items():
                    if not _agree(each.item, found.get(key)):
                        self._suspect(key, _Suspect(each.key, each.source_key))
                self._count(source=len(chunk), faults=expected.faults)

    def check_target(self, segment: int, segments: int) -> None:
        """Look up the source of each target item."""
        for page in scan_segment(self.target, segment, segments):
            if self.is_full:
                return
            live = [item for item in page.items if not is_tombstone(item)]
            for start in range(0, len(live), _CHUNK):
                chunk = live[start : start + _CHUNK]
                for suspect in self._without_source(chunk):
                    self._suspect(hashed(suspect.key), suspect)
                self._count(target=len(chunk))

    def again(self, suspects: Sequence[_Suspect]) -> list[Difference]:
        """Look at suspects once more, on both sides; return those that differ."""
        different: list[Difference] = []
        for start in range(0, len(suspects), _CHUNK):
            chunk = suspects[start : start + _CHUNK]
            sources = [each.source_key for each in chunk if each.source_key is not None]
            items = self.source.get(distinct(sources))
            expected = expected_items(items, self.source, self.target, self.transform)
            found = found_items(self.target, [each.key for each in chunk])
            for each in chunk:
                key = hashed(each.key)
                difference = _difference(each, expected.items.get(key), found.get(key))
                if difference is not None:
                    different.append(difference)
        return different

    def _without_source(self, items: list[Attributes]) -> list[_Suspect]:
        """The target items for which the source has nothing."""
        asked = [(item, source_key_of(item, self.source, self.transform)) for item in items]
        there = self.source.get(distinct([key for _, key in asked if key is not None]))
        expected = expected_items(there, self.source, self.target, self.transform)
        return [
            _Suspect(self.target.key_of(item), source_key)
            for item, source_key in asked
            if hashed(self.target.key_of(item)) not in expected.items
        ]

    def _suspect(self, key: Any, suspect: _Suspect) -> None:
        with self._lock:
            self.suspects.setdefault(key, suspect)

    def _count(self, *, source: int = 0, target: int = 0, faults: Sequence[str] = ()) -> None:
        with self._lock:
            self.source_items += source
            self.target_items += target
            self.faults += faults
        self.observe(source + target)


def _agree(expected: Attributes, found: Attributes | None) -> bool:
    if found is None or is_tombstone(found):
        return False
    data = data_of(found)
    # Numbers and sets have several spellings; most items are spelled alike.
    return data == expected or decode({"M": data}) == decode({"M": expected})


def _difference(
    suspect: _Suspect, expected: ExpectedItem | None, found: Attributes | None
) -> Difference | None:
    key = decode({"M": suspect.key})
    is_there = found is not None and not is_tombstone(found)
    if expected is None:
        if not is_there:
            return None
        return Difference("extra", key, found=found, source_key=suspect.source_key)
    if _agree(expected.item, found):
        return None
    kind: Kind = "different" if is_there else "missing"
    attributes: dict[str, tuple[Any, Any]] = {}
    if is_there:
        wanted, got = decode({"M": expected.item}), decode({"M": data_of(found or {})})
        attributes = {
            name: (wanted.get(name), got.get(name))
            for name in {**wanted, **got}
            if wanted.get(name, _NOTHING) != got.get(name, _NOTHING)
        }
    return Difference(kind, key, attributes, expected.item, found, expected.source_key)


_NOTHING = object()
