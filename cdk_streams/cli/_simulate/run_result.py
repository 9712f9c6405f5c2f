"""What `cdk-streams simulate` prints of a run: text, or JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cdk_streams.cli._terminal_lines import fitted

if TYPE_CHECKING:
    from cdk_streams.cli._simulate.given_handler import WatchedHandler
    from cdk_streams.mapping import MappingSettings
    from cdk_streams.simulator import Run

__all__ = ["as_json", "as_text", "notes_about"]

_SHOWN_LINES: Final = 200


def notes_about(
    run: Run, settings: MappingSettings, poison: str | None, place: int | None
) -> Iterator[str]:
    """Yield a sentence for what the counts of a run do not explain.

    `poison` is the sequence number of the record that was to fail, `place` its place.
    """
    counts = run.counts
    if counts.skipped:
        yield (
            "the skipped records were written before the mapping begins to read, at LATEST; with "
            "StartingPosition: TRIM_HORIZON it reads them"
        )
    if not settings.enabled:
        yield "the mapping is disabled (Enabled: false), so that nothing is read"
    was_called = any(poison in each.sequence_numbers for each in run.invocations)
    if poison is not None and not was_called and counts.filtered:
        yield f"record {place}, which --poison names, was filtered: the function never got it"


def as_text(run: Run, handler: WatchedHandler, notes: Sequence[str]) -> str:
    """Return the timeline, where the handler failed, and the counts."""
    from cdk_streams.simulator import timeline  # noqa: PLC0415 - not for --help

    lines = timeline(run).splitlines()
    more = len(lines) - _SHOWN_LINES
    if more > 0:
        lines = [*lines[:_SHOWN_LINES], f"… {more:,} more lines; --page FILE has all of them"]
    counts = run.counts
    fates = ("handled", "filtered", "failed", "age_exceeded", "trimmed", "skipped", "waiting")
    shown = ", ".join(f"{n:,} {name}" for name in fates if (n := getattr(counts, name)))
    lost = len(run.failures.lost)
    return "\n".join(
        [
            *lines,
            "",
            *map(fitted, _errors(run, handler)),
            f"records: {shown or 'none'}",
            f"invocations: {len(run.invocations):,} in {_length(run.took)}",
            f"failure records: {len(run.failures.delivered):,} delivered, {lost:,} lost",
            *(fitted(f"note: {each}") for each in notes),
        ]
    )


def _errors(run: Run, handler: WatchedHandler) -> Iterator[str]:
    """Name each kind of error by class and line: the message of one may hold data."""
    found = Counter(
        _shown(each.error, handler) for each in run.invocations if each.error is not None
    )
    for error, count in found.items():
        yield f"error: {error}, in {count:,} invocation{'' if count == 1 else 's'}"


def _shown(error: BaseException, handler: WatchedHandler) -> str:
    place = handler.place_of(error)
    return str(error) if place is None else f"{type(error).__name__} at {place}"


def as_json(run: Run, handler: WatchedHandler, notes: Sequence[str]) -> dict[str, Any]:
    """Return the run as one object, times in seconds."""
    return {
        "records": {name: getattr(run.counts, name) for name in type(run.counts).__slots__},
        "invocations": [
            {
                "at_s": each.at.total_seconds(),
                "took_s": each.took.total_seconds(),
                "shardId": each.shard_id,
                "attempt": each.attempt,
                "outcome": each.outcome,
                "sequenceNumbers": list(each.sequence_numbers),
                "error": None if each.error is None else type(each.error).__name__,
                "errorPlace": None if each.error is None else handler.place_of(each.error),
            }
            for each in run.invocations
        ],
        "failures": {"delivered": run.failures.delivered, "lost": run.failures.lost},
        "checkpoints": dict(run.checkpoints),
        "metrics": dict(run.metrics),
        "took_s": run.took.total_seconds(),
        "notes": list(notes),
    }


def _length(length: timedelta) -> str:
    """Return a length of time in words: `7 min 24.4 s`."""
    seconds = length.total_seconds()
    hours, minutes, rest = int(seconds // 3600), int(seconds // 60 % 60), round(seconds % 60, 1)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number:g} {unit}" for number, unit in parts if number) or "0 s"
