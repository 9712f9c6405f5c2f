"""The three things that can happen to an item, as values: Insert, Modify, Remove.

A change keeps its record as it came and reads from it when asked, so a handler pays for what it
uses and no more. The record is never changed.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from __future__ import annotations

from lambda_runtime._changes.items import Item
from lambda_runtime._changes.origin import UserIdentity, read_source, read_time, read_user_identity
from lambda_runtime._values.decoding import WRONG
from lambda_runtime._values.equality import same
from lambda_runtime.errors import AttributeValueError, EventError, MissingImageError, kind_of

__all__ = ["ABSENT", "Absent", "Change", "Insert", "Modify", "Remove"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from lambda_runtime._changes.origin import Source
    from lambda_runtime._values.numbers_as import Convert


class Absent:
    """The type of ABSENT: the side of a difference on which the item has no such attribute.

    It is not None, which is what DynamoDB's NULL becomes. It is false in a condition.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""The side of a difference on which the item has no such attribute; false in a condition."""


class Change:
    """What Insert, Modify and Remove have in common; `parse` makes them.

    `record` is the stream record as Lambda sent it, not to be changed. What the record lacks is an
    EventError when it is read, except where a property says otherwise.
    """

    __slots__ = ("_convert", "_index", "_keys", "_new", "_old", "_stream", "record")

    def __init__(self, record: dict[str, Any], convert: Convert = None, index: int = 0) -> None:
        self.record = record
        self._stream: dict[str, Any] = record["dynamodb"]
        self._convert = convert
        self._index = index
        self._keys: Item | None
        self._new: Item | None
        self._old: Item | None
        self._keys = self._new = self._old = None

    # The three items are written out: one call more for each would cost a handler a tenth.

    @property
    def keys(self) -> Item:
        """The primary key, which no change of an item can alter."""
        keys = self._keys
        if keys is None:
            sent = self._stream.get("Keys")
            if sent.__class__ is not dict:
                raise self._no_item("Keys", sent)
            path = ("Records", self._index, "dynamodb", "Keys")
            keys = self._keys = Item(sent, self._convert, path)
        return keys

    @property
    def new(self) -> Item:
        """The item after the change.

        Raises:
            MissingImageError: for a Remove, and when the stream's view type leaves it out.
        """
        new = self._new
        if new is None:
            sent = self._stream.get("NewImage")
            if sent.__class__ is not dict or (not sent and self._never_has("new")):
                raise self._no_item("NewImage", sent)
            path = ("Records", self._index, "dynamodb", "NewImage")
            new = self._new = Item(sent, self._convert, path)
        return new

    @property
    def old(self) -> Item:
        """The item before the change.

        Raises:
            MissingImageError: for an Insert, and when the stream's view type leaves it out.
        """
        old = self._old
        if old is None:
            sent = self._stream.get("OldImage")
            if sent.__class__ is not dict or (not sent and self._never_has("old")):
                raise self._no_item("OldImage", sent)
            path = ("Records", self._index, "dynamodb", "OldImage")
            old = self._old = Item(sent, self._convert, path)
        return old

    @property
    def has_new(self) -> bool:
        """Whether `new` can be read."""
        sent = self._stream.get("NewImage")
        return sent is not None and (bool(sent) or not self._never_has("new"))

    @property
    def has_old(self) -> bool:
        """Whether `old` can be read."""
        sent = self._stream.get("OldImage")
        return sent is not None and (bool(sent) or not self._never_has("old"))

    @property
    def event_id(self) -> str:
        """Unique to this change, and the same each time it is delivered."""
        return self._text(self.record, "eventID")

    @property
    def sequence_number(self) -> str:
        """The change's place in its shard: digits of no fixed length; compare them as ints."""
        return self._text(self._stream, "dynamodb", "SequenceNumber")

    @property
    def view_type(self) -> str:
        """What the stream carries: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."""
        return self._text(self._stream, "dynamodb", "StreamViewType")

    @property
    def created_at(self) -> datetime:
        """About when the change was made: aware, in UTC, with the fraction that was sent."""
        sent = self._stream.get("ApproximateCreationDateTime")
        created_at = read_time(sent)
        if created_at is None:
            raise self._fault(sent, "epoch seconds", "dynamodb", "ApproximateCreationDateTime")
        return created_at

    @property
    def size_bytes(self) -> int:
        """The size of keys and images as DynamoDB counts it; 0 when the record does not say."""
        size = self._stream.get("SizeBytes", 0)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise self._fault(size, "a number of bytes", "dynamodb", "SizeBytes")
        return size

    @property
    def source(self) -> Source:
        """The stream: its ARN, region, account, table and label."""
        arn = self.record.get("eventSourceARN")
        source = read_source(arn)
        if source is None:
            raise self._fault(arn, "the ARN of a DynamoDB stream", "eventSourceARN")
        return source

    @property
    def user_identity(self) -> UserIdentity | None:
        """Who made the change; None when a request did, which is nearly always."""
        sent = self.record.get("userIdentity")
        identity = read_user_identity(sent)
        if identity is None and sent not in (None, {}):
            raise self._fault(sent, "an object with type and principalId", "userIdentity")
        return identity

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Change):
            return NotImplemented
        return type(self) is type(other) and self.record == other.record

    def __hash__(self) -> int:
        return hash(str(self._stream.get("SequenceNumber")))

    def __repr__(self) -> str:
        # Names only: a repr ends in logs, and values are somebody's data.
        keys = self._stream.get("Keys")
        names = ", ".join(map(str, keys)) if isinstance(keys, dict) else ""
        number = self._stream.get("SequenceNumber")
        return f"{type(self).__name__}(sequence_number={number!r}, keys=({names}))"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.record, self._convert, self._index)

    def _never_has(self, side: str) -> bool:
        """Whether a change of this kind has no such image; some senders write `{}` for none."""
        return (type(self), side) in _NEVER

    def _no_item(self, part: str, sent: Any) -> EventError | MissingImageError:
        if sent in (None, {}) and part != "Keys":
            return MissingImageError(self._why_missing(part))
        return self._fault(sent, "an object of typed values", "dynamodb", part)

    def _why_missing(self, part: str) -> str:
        side = "new" if part == "NewImage" else "old"
        if (type(self), side) in _NEVER:
            return _NEVER[type(self), side]
        if self.record.get("omitted"):
            return (
                f"this event was too large for its target, so its {side} image was left out; give "
                "the forwarder large_events and read it with lambda_runtime.forward.fetch"
            )
        view_type = self._stream.get("StreamViewType")
        needed = _NEEDED.get((str(view_type), side))
        if view_type is None:
            return f"this record has neither a {part} nor a StreamViewType"
        if needed is None:
            return f"this record has no {part}, although its StreamViewType is {view_type!r}"
        return (
            f"this stream carries {view_type} records, so {_ARTICLED[type(self)]} has no {side} "
            f"image; set stream_view_type={needed} on the table"
        )

    def _text(self, holder: dict[str, Any], *place: str) -> str:
        sent = holder.get(place[-1])
        if not isinstance(sent, str) or not sent:
            raise self._fault(sent, "text", *place)
        return sent

    def _fault(self, got: Any, expected: str, *place: str) -> EventError:
        why = f"got {_shown(got)}, expected {expected}"
        return EventError(why, ["Records", self._index, *place])


def _shown(got: Any) -> str:
    """Name a value by its type, and by what its type does not tell."""
    if got == "":
        return "empty text"
    negative = isinstance(got, int) and got < 0
    return "a negative number" if negative else kind_of(got)


class Insert(Change):
    """An item that was not there before. It has no `old`."""

    __slots__ = ()


class Modify(Change):
    """An item that was there, written again with at least one attribute different."""

    __slots__ = ()

    def changed(self, *names: str | tuple[str, ...]) -> bool:
        """Tell whether any of these attributes changed; without names, whether anything did.

        `changed("status")`, `changed(("address", "city"))` for a member of a map. Values are
        compared as DynamoDB means them: the number `1.0` is `1`, sets have no order, and nothing is
        decoded while the two texts are the same. A name that neither image has did not change.

        Raises:
            MissingImageError: unless the stream carries both images.
            ValueError: for a dotted name that neither image has, of a map that one has.
        """
        before, after = self._both()
        name: str | tuple[str, ...] = ""
        try:
            for name in names or {**before, **after}:
                if isinstance(name, tuple):
                    old, new = _member_at(before, name), _member_at(after, name)
                else:
                    old, new = before.get(name), after.get(name)
                if old != new and (old is None or new is None or not same(old, new)):
                    return True
        except WRONG:
            raise self._no_value(name) from None
        for name in names:
            if "." in name:
                _refuse_dotted(name, before, after)
        return False

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Give `{name: (before, after)}` of what changed, with ABSENT where there was or is none.

        Raises:
            MissingImageError: unless the stream carries both images.
        """
        self._both()
        old, new = self.old, self.new
        return {
            name: (old.get(name, ABSENT), new.get(name, ABSENT))
            for name in {**old.raw, **new.raw}
            if self.changed(name)
        }

    def _both(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give both raw images; a stream that carries one at most needs one setting, not two."""
        stream = self._stream
        before, after = stream.get("OldImage"), stream.get("NewImage")
        if before.__class__ is dict and after.__class__ is dict:
            return before, after
        view_type = stream.get("StreamViewType")
        if view_type in ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"):
            raise MissingImageError(
                f"this stream carries {view_type} records, so a Modify has no two images to "
                "compare; set stream_view_type=NEW_AND_OLD_IMAGES on the table"
            )
        return self.old.raw, self.new.raw  # one of them says what is missing

    def _no_value(self, path: str | tuple[str, ...]) -> AttributeValueError:
        """Tell which of two values that cannot be compared is no DynamoDB value."""
        name = path if isinstance(path, str) else path[0]
        try:
            _ = self.old[name], self.new[name]
        except AttributeValueError as error:
            return error
        return AttributeValueError("cannot be compared", (name,))


def _member_at(image: dict[str, Any], path: tuple[str, ...]) -> Any:
    """Give the typed value of a member of a map, such as `("address", "city")`; None for none."""
    members: Any = image
    value = None
    for step in path:
        value = members.get(step)
        members = value.get("M", {}) if value else {}
    return value


def _refuse_dotted(name: Any, *images: dict[str, Any]) -> None:
    """Raise for `address.city` when no image has it, and `address` is a map in one of them."""
    if not isinstance(name, str) or any(name in image for image in images):
        return
    path = tuple(name.split("."))
    if any("M" in image.get(path[0], ()) for image in images):
        raise ValueError(
            f"there is no attribute {name!r}; write {path!r} for a member of the map {path[0]!r}"
        )


class Remove(Change):
    """An item that is gone. It has no `new`."""

    __slots__ = ()

    @property
    def expired(self) -> bool:
        """Whether DynamoDB's time to live deleted the item, and no request did.

        In a global table only the region that deleted it says so: its replicas see a plain Remove.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
        """
        identity = self.user_identity
        return identity is not None and identity == _TIME_TO_LIVE


_TIME_TO_LIVE = UserIdentity("Service", "dynamodb.amazonaws.com")

_ARTICLED: dict[type, str] = {Insert: "an Insert", Modify: "a Modify", Remove: "a Remove"}

_NEVER: dict[tuple[type, str], str] = {
    (Insert, "old"): "an Insert has no old image: the item was not there before",
    (Remove, "new"): "a Remove has no new image: the item is gone",
}

# The view type that would carry the image, for a stream of this view type.
_NEEDED = {
    ("KEYS_ONLY", "new"): "NEW_IMAGE",
    ("KEYS_ONLY", "old"): "OLD_IMAGE",
    ("NEW_IMAGE", "old"): "NEW_AND_OLD_IMAGES",
    ("OLD_IMAGE", "new"): "NEW_AND_OLD_IMAGES",
}
