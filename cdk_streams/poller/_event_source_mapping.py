"""`EventSourceMapping`: what stays the same over a poller's life, gathered in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from cdk_streams.errors import SettingsError
from cdk_streams.mapping import STREAM_RETENTION, MappingSettings
from cdk_streams.poller._assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from cdk_streams.poller._events import Record

__all__ = ["EventSourceMapping", "seeded_ids"]

# The longest wait is 60 s: more than this would be no wait at all.
_MOST_TIME_SCALE: Final = 1_000
_MILLISECOND = STREAM_RETENTION / 86_400_000


def seeded_ids(seed: str) -> Callable[[int], str]:
    """Return a source of UUIDs (version 4) that are a function of the seed and their number."""

    def nth(number: int) -> str:
        digits = blake2b(f"{seed}/{number}".encode(), digest_size=16).hexdigest()
        variant = "89ab"[int(digits[16], 16) & 3]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    return nth


_UNSEEDED: Final = seeded_ids("")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """One event source mapping: a function, a stream and the settings between them.

    Args:
        settings: As deployed. `on_failure` must be an ARN by now, not a template's reference.
        function_arn: Qualified as mapped (`…:function:name:alias`); failure records carry it.
        stream_arn: Failure records carry it.
        uuid: The mapping's UUID, part of the keys of S3 failure records.
        executed_version: The function version behind `function_arn`: `$LATEST` or a number.
        ids: The nth UUID for request ids and S3 keys. The same source gives the same run; a
            driver of real functions passes one that ignores the number.
        assumptions: What is not recorded of Lambda.
        time_scale: What the waits before retries and the maximum record age are divided by, 1 to
            1,000; with 1 they are those of Lambda. Calls, windows and the 24 hours of the stream
            take as long as ever.

    """

    settings: MappingSettings
    function_arn: str
    stream_arn: str
    uuid: str
    executed_version: str = "$LATEST"
    ids: Callable[[int], str] = _UNSEEDED
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS
    time_scale: float = 1

    # Worked out once, because every batch asks for them.
    matches: Callable[[Record], bool] | None = field(init=False, repr=False, compare=False)
    destination: str | None = field(init=False, repr=False, compare=False)
    batching_window_ms: int = field(init=False, repr=False, compare=False)
    max_age_ms: int | None = field(init=False, repr=False, compare=False)
    tumbling_window_ms: int | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what follows from the settings."""
        settings = self.settings
        if not 1 <= self.time_scale <= _MOST_TIME_SCALE:
            raise SettingsError(f"time_scale must be 1 to 1,000, got {self.time_scale}")
        age, window = settings.max_record_age, settings.tumbling_window
        derived = {
            "matches": _matcher(settings.filters),
            "destination": _destination(settings),
            "batching_window_ms": settings.max_batching_window // _MILLISECOND,
            "max_age_ms": (None if age is None else int(age // _MILLISECOND / self.time_scale)),
            "tumbling_window_ms": None if window is None else window // _MILLISECOND,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def _matcher(filters: tuple[str, ...]) -> Callable[[Record], bool] | None:
    """Return whether a record matches one of the patterns; None when there are none."""
    if not filters:
        return None
    # Most mappings have no filter, and the pattern engine costs import time.
    from cdk_streams.filters import compile_pattern  # noqa: PLC0415 - see above

    patterns = [compile_pattern(text).matches for text in filters]
    if len(patterns) == 1:
        return patterns[0]
    return lambda record: any(matches(record) for matches in patterns)


def _destination(settings: MappingSettings) -> str | None:
    destination = settings.on_failure
    if destination is None or isinstance(destination, str):
        return destination
    raise SettingsError(
        f"on_failure must be an ARN to run the mapping, got the reference {dict(destination)!r}; "
        "replace it with the ARN it resolves to"
    )
