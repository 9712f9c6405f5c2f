"""`Filter`: one pattern as a value, built from conditions or taken as it is.

    Filter.insert(NewImage("status").eq("PAID"))
    Filter.modify(OldImage("status").ne("PAID"), NewImage("status").eq("PAID"))
    Filter.expired()

Conditions beside each other must all hold. A mapping's filters are alternatives: a record goes on
when it matches one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cdk_streams.errors import FilterError
from cdk_streams.filters._attributes import refuse_dots
from cdk_streams.filters._conditions import Condition, all_of, checked, field, render
from cdk_streams.filters._engine.pattern import checked_record, compile_pattern
from cdk_streams.filters._engine.pattern_document import pattern_text
from cdk_streams.filters._ineffective_conditions import refuse_ineffective_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Filter", "missing_image"]

_INSERT, _MODIFY, _REMOVE = (field(("eventName",), name) for name in ("INSERT", "MODIFY", "REMOVE"))
_ABSENT_IMAGE = {"INSERT": "OldImage", "REMOVE": "NewImage"}
_IMAGES_OF = {
    "KEYS_ONLY": (),
    "NEW_IMAGE": ("NewImage",),
    "OLD_IMAGE": ("OldImage",),
    "NEW_AND_OLD_IMAGES": ("NewImage", "OldImage"),
}
_TTL = "dynamodb.amazonaws.com"
_EXPIRED = all_of(
    field(("userIdentity", "type"), "Service"), field(("userIdentity", "principalId"), _TTL)
)
_NOT_EXPIRED = field(("userIdentity", "principalId"), {"anything-but": [_TTL]}, {"exists": False})


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a mapping. `text` is its pattern, exactly as it is deployed.

    Raises:
        FilterError: for a pattern that Lambda would refuse.
    """

    text: str

    def __post_init__(self) -> None:
        compile_pattern(self.text)

    @classmethod
    def insert(cls, *conditions: Condition) -> Filter:
        """Items that are new, and for which every condition holds."""
        return cls._event(_INSERT, conditions)

    @classmethod
    def modify(cls, *conditions: Condition) -> Filter:
        """Items that were changed, and for which every condition holds."""
        return cls._event(_MODIFY, conditions)

    @classmethod
    def remove(cls, *conditions: Condition, expired: bool | None = None) -> Filter:
        """Items that are gone; `expired` asks for those that TTL deleted, or for all others."""
        return cls._event(_REMOVE, (*conditions, *_expiry(expired)))

    @classmethod
    def expired(cls, *conditions: Condition) -> Filter:
        """Items that TTL deleted: `Filter.remove(expired=True)`."""
        return cls.remove(*conditions, expired=True)

    @classmethod
    def any_event(cls, *conditions: Condition, expired: bool | None = None) -> Filter:
        """Changes of any kind for which every condition holds; there must be one."""
        wanted = (*_checked(conditions), *_expiry(expired))
        if not wanted:
            raise FilterError(
                "a filter for any event must have a condition, got none, which filters nothing; "
                "omit it"
            )
        return cls(pattern_text(render(all_of(*wanted))))

    @classmethod
    def pattern(cls, pattern: str | Mapping[str, Any], *, validate: bool = True) -> Filter:
        """A raw event pattern, as JSON text or as a dict.

        A pattern that Lambda accepts but that no stream record can match is refused as well, such
        as a numeric range on a type N or an unknown event name; `validate=False` accepts it.

        Raises:
            FilterError: Lambda would refuse the pattern, or no record can match it.

        """
        text = pattern_text(pattern)
        if validate:
            refuse_ineffective_conditions(cls(text).text)
        return cls(text)

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether Lambda passes on this record, a dict as it stands in an event's `Records`.

        Raises:
            FilterError: It is no such dict, such as a whole event.

        """
        return compile_pattern(self.text).matches(checked_record(record))

    def check(self, view_type: str) -> None:
        """Refuse a stream whose records lack an image that the filter tests.

        `view_type` is DynamoDB's: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES.

        Raises:
            FilterError: Its records lack the image, or the view type is unknown.

        """
        image = missing_image(self.text, view_type)
        if image is not None:
            raise FilterError(
                f"this stream carries {view_type} records, which have no {image}; "
                "set stream_view_type=NEW_AND_OLD_IMAGES on the table, or test Keys alone",
                where=f"$.dynamodb.{image}",
            )

    @classmethod
    def _event(cls, event: Condition, conditions: tuple[Condition, ...]) -> Filter:
        name = str(event.values[0])
        for condition in _checked(conditions):
            if any(_ABSENT_IMAGE.get(name) in path[:2] for path in condition.paths()):
                raise FilterError(
                    f"{name} records have no {_ABSENT_IMAGE[name]}; "
                    f"test {'NewImage' if name == 'INSERT' else 'OldImage'} or Keys",
                    where=f"$.dynamodb.{_ABSENT_IMAGE[name]}",
                )
        return cls(pattern_text(render(all_of(event, *conditions))))


def _checked(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return the conditions; what is none, and dots that cannot be meant, are refused."""
    for condition in conditions:
        checked(condition)
    paths = {path for condition in conditions for path in condition.paths()}
    maps = {path[:3] for path in paths if path[3:4] == ("M",)}
    for path in sorted(paths):
        head, dot, _ = "".join(path[2:3]).partition(".")
        if dot and (*path[:2], head) in maps:
            refuse_dots(path[1], path[2])
    return conditions


def missing_image(text: str, view_type: str) -> str | None:
    """Return the image that a pattern tests and that records of a view type lack, or None.

    `missing_image('{"dynamodb": {"OldImage": …}}', "NEW_IMAGE")` is `"OldImage"`.

    Raises:
        FilterError: The pattern is one that Lambda would refuse, or the view type is unknown.

    """
    if view_type not in _IMAGES_OF:
        known = ", ".join(_IMAGES_OF)
        raise FilterError(f"a stream's view type is one of {known}, got {view_type!r}")
    tested = {path.split(".")[1] for path in compile_pattern(text).paths if "." in path}
    missing = tested & {"NewImage", "OldImage"} - {*_IMAGES_OF[view_type]}
    return min(missing, default=None)


def _expiry(expired: bool | None) -> tuple[Condition, ...]:
    if expired is None:
        return ()
    return (_EXPIRED,) if expired else (_NOT_EXPIRED,)
