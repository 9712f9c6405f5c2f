"""Events as the entries of calls: each within its target's size, each call within its limits."""

from __future__ import annotations

from lambda_runtime.forward._errors import ForwardError

__all__ = ["Entry", "Limits", "entry_of", "packed"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambda_runtime.forward._events import Event

    Keep = Callable[[Event], str]

IMAGES = ("before", "after")
# The names of changed attributes may be long, too: an item has up to 400 KB of names and values.
ALL_THAT_MAY_BE_LARGE = (*IMAGES, "changed")


class Limits:
    """What one call of a service takes.

    Args:
        entries: Entries in one call, at most.
        call_bytes: Bytes of all entries of a call, at most.
        entry_bytes: Bytes of one entry, at most; None means `call_bytes`.
    """

    __slots__ = ("call_bytes", "entries", "entry_bytes")

    def __init__(self, entries: int, call_bytes: int, entry_bytes: int | None = None) -> None:
        self.entries = entries
        self.call_bytes = call_bytes
        self.entry_bytes = call_bytes if entry_bytes is None else entry_bytes


class Entry:
    """One event as it is sent: the record's position in its batch, the event's text, its size."""

    __slots__ = ("event", "position", "size_bytes", "text")

    def __init__(self, position: int, event: Event, text: str, size_bytes: int) -> None:
        self.position = position
        self.event = event
        self.text = text
        self.size_bytes = size_bytes


def entry_of(
    position: int, event: Event, limits: Limits, overhead_bytes: int, keep: Keep | None
) -> Entry:
    """Make an event's entry; one that is too large leaves its images out.

    Args:
        position: The place of the record in its batch, from 0.
        event: The event.
        limits: The target's.
        overhead_bytes: What the service counts besides the event's text.
        keep: Stores the whole data of an event that is too large and returns its URI; None
            leaves the images out for good.

    Raises:
        ForwardError: The event is too large even without images: its keys are.
    """
    room = limits.entry_bytes - overhead_bytes
    text = event.text()
    if len(text) > room:  # ASCII: as many bytes as characters.
        dataref = None if keep is None else keep(event)
        text = event.text(IMAGES, dataref)
        if len(text) > room:
            text = event.text(ALL_THAT_MAY_BE_LARGE, dataref)
    if len(text) > room:
        raise ForwardError(
            f"an event has {len(text):,} bytes without its images, more than the {room:,} bytes "
            "that its target takes; raise the target's limit"
        )
    return Entry(position, event, text, len(text) + overhead_bytes)


def packed(entries: Iterable[Entry], limits: Limits, *, apart: bool) -> Iterator[list[Entry]]:
    """Put entries into calls, in their order.

    With `apart` a call holds one change of an item at most. A service goes on after an entry that
    it refused, so the next change of that item would overtake it.
    """
    call: list[Entry] = []
    size, items = 0, set[str]()
    for entry in entries:
        full = len(call) == limits.entries or size + entry.size_bytes > limits.call_bytes
        if call and (full or (apart and entry.event.subject in items)):
            yield call
            call, size, items = [], 0, set()
        call.append(entry)
        size += entry.size_bytes
        items.add(entry.event.subject)
    if call:
        yield call
