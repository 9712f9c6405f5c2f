"""What went wrong in a run, the gravest first, each with the event to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cdk_streams.simulator._timeline.events import TimelineEvent, name_records
from cdk_streams.simulator._timeline.standing_shards import standing_shards

__all__ = ["Cause", "causes"]

_FAILS = {"failed", "timeout", "partial"}


class Cause(NamedTuple):
    """A sentence, and the place on the timeline of the event that explains it best."""

    text: str
    place: int


def causes(events: Sequence[TimelineEvent]) -> list[Cause]:
    """Return what went wrong: invariants, lost and trimmed records, failure records, standstills.

    A failure record leads to the last failing call of its records.
    """
    found = [*_broken(events), *_trimmed(events), *_discarded(events)]
    found += _standing(events)
    return found or _failing(events)


def _broken(events: Sequence[TimelineEvent]) -> Iterator[Cause]:
    for place, each in enumerate(events):
        if each.kind == "broken":
            yield Cause(f"An invariant broke: {each.detail}", place)


def _trimmed(events: Sequence[TimelineEvent]) -> Iterator[Cause]:
    for place, each in enumerate(events):
        if each.kind == "trimmed":
            what = name_records(each.sequence_numbers)
            yield Cause(f"{each.consumer}: DynamoDB trimmed {what} before it was handled", place)


def _discarded(events: Sequence[TimelineEvent]) -> Iterator[Cause]:
    for kind in ("lost", "sent"):
        for place, each in enumerate(events):
            if each.kind == kind:
                call = _last_failure(events, place)
                what = name_records(each.sequence_numbers) if each.sequence_numbers else "a batch"
                end = (
                    "its failure record is lost" if kind == "lost" else "a failure record was sent"
                )
                why = ""
                if call is not None:
                    failed = events[call]
                    why = f" after attempt {failed.attempt}"
                    why += f", which {failed.detail}" if failed.detail.startswith("raised") else ""
                sentence = f"{each.consumer} discarded {what}{why}; {end} ({each.detail})"
                yield Cause(sentence, place if call is None else call)


def _last_failure(events: Sequence[TimelineEvent], place: int) -> int | None:
    discarded = events[place]
    for before in range(place - 1, -1, -1):
        each = events[before]
        if (
            each.kind in _FAILS
            and (each.consumer, each.shard_id) == (discarded.consumer, discarded.shard_id)
            and set(discarded.sequence_numbers) <= set(each.sequence_numbers)
        ):
            return before
    return None


def _standing(events: Sequence[TimelineEvent]) -> Iterator[Cause]:
    for shard in standing_shards(events):
        if not shard.ended:
            place = max(
                place
                for place, each in enumerate(events)
                if (each.consumer, each.shard_id) == (shard.consumer, shard.shard_id)
            )
            yield Cause(
                f"{shard.consumer} stands still at the end of the run, "
                f"after {shard.attempts} calls that settled nothing",
                place,
            )


def _failing(events: Sequence[TimelineEvent]) -> list[Cause]:
    """Return the last failing call of a run in which every record was handled in the end."""
    failing = [place for place, each in enumerate(events) if each.kind in _FAILS]
    if not failing:
        return []
    calls = f"{len(failing)} call{'s' * (len(failing) > 1)}"
    return [Cause(f"{calls} failed, wholly or in part; no record was discarded", failing[-1])]
