"""Fields inside arrays: those of one pattern must come from the same element of an array.

`{"L": {"M": {"k": …, "v": …}}}` means one member with both. What has been chosen so far is a state:
a set of (array, index) pairs. Fields are taken in the order of their paths, each choosing among
the values that fit a state; a state keeps only arrays that a later field can still meet.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cdk_streams.filters._engine.operators import Field
    from cdk_streams.filters._engine.paths import Found, Membership

__all__ = ["holds_in_arrays"]

_Pair: TypeAlias = tuple[int, int]
_State: TypeAlias = frozenset[_Pair]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the values of a path are: all of them, by each pair, and how many each array holds."""

    all: Sequence[Membership]
    by_pair: Mapping[_Pair, Sequence[Membership]]
    counts: Mapping[int, int]


def holds_in_arrays(fields: Sequence[tuple[str, Field]], found: Found) -> bool:
    """Whether all fields, sorted by path, hold for one choice of elements."""
    states: set[_State] = {frozenset()}
    for (path, field), later in zip(fields, _later_arrays(fields, found), strict=True):
        values = found.get(path, [])
        everywhere = _places(place for _, place in values) if field.absent else None
        passing = _places(place for value, place in values if field.matches(value))
        reached: set[_State] = set()
        for state in states:
            if everywhere is not None and next(_fitting(everywhere, dict(state)), None) is None:
                reached.add(_kept(state, later))
            for place in _fitting(passing, dict(state)):
                reached.add(_kept(state.union(place), later))
        if not reached:
            return False
        states = reached
    return True


def _kept(state: _State, arrays: set[int]) -> _State:
    return frozenset(pair for pair in state if pair[0] in arrays)


def _fitting(places: _Places, chosen: Mapping[int, int]) -> Iterator[Membership]:
    """Return the places that lie, in each array that they share with `chosen`, in its element."""
    group = places.all
    # Arrays are numbered from the outside in. Where all that is left lies in one array, only its
    # chosen element can fit, which keeps long lists from being compared with each other.
    for array in sorted(chosen):
        if places.counts.get(array) == len(group):
            group = places.by_pair.get((array, chosen[array]), ())
    for place in group:
        if all(chosen.get(array, index) == index for array, index in place):
            yield place


def _places(places: Iterable[Membership]) -> _Places:
    known = tuple(places)
    by_pair: dict[_Pair, list[Membership]] = defaultdict(list)
    counts: dict[int, int] = defaultdict(int)
    for place in known:
        for pair in place:
            by_pair[pair].append(place)
            counts[pair[0]] += 1
    return _Places(known, by_pair, counts)


def _later_arrays(fields: Sequence[tuple[str, Field]], found: Found) -> list[set[int]]:
    """For each field, the arrays that the fields behind it are found in."""
    later: list[set[int]] = []
    arrays: set[int] = set()
    for path, _ in reversed(fields):
        later.append(set(arrays))
        arrays.update(array for _, place in found.get(path, ()) for array, _ in place)
    return later[::-1]
