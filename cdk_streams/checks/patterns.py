"""Rules about filters that Lambda accepts and that do not do what they seem to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from cdk_streams.checks.facts import Consumer
from cdk_streams.checks.rule import Rule, rule

__all__ = ["RULES"]

EVENT_NAMES: Final = frozenset({"INSERT", "MODIFY", "REMOVE"})
TYPE_LETTERS: Final = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
IMAGES: Final = frozenset({"Keys", "NewImage", "OldImage"})
IMAGES_OF_VIEW: Final = {
    "KEYS_ONLY": frozenset({"Keys"}),
    "NEW_IMAGE": frozenset({"Keys", "NewImage"}),
    "OLD_IMAGE": frozenset({"Keys", "OldImage"}),
    "NEW_AND_OLD_IMAGES": IMAGES,
}


class _Leaf(NamedTuple):
    """A list of alternatives in a pattern; `path` is where, `$or` left out."""

    path: tuple[str, ...]
    tests: list[Any]

    @property
    def place(self) -> str:
        return ".".join(self.path)

    @property
    def attribute_path(self) -> tuple[str, ...]:
        """What follows the image: names and type letters in turn, or nothing."""
        named = self.path[:1] == ("dynamodb",) and len(self.path) > 2  # noqa: PLR2004 - image first
        return self.path[2:] if named and self.path[1] in IMAGES else ()

    @property
    def type_letter(self) -> str | None:
        """The type letter that the path ends at; None when it ends at an attribute's name."""
        letter, expects_name = None, True
        for step in self.attribute_path:
            if expects_name:
                letter, expects_name = None, False
            elif step in TYPE_LETTERS:
                # The letter of a list's element follows L at once; inside M comes a name again.
                letter, expects_name = step, step == "M"
            else:
                return None
        return letter


@rule(
    reason="a stream record holds a number as text, which no numeric test matches",
    fix='Compare with the number\'s text, such as {"N": ["100"]}, or test it in the handler',
)
def filter_compares_number(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    for leaf in _leaves(consumer):
        if leaf.type_letter in {"N", "NS"} and any(map(_is_numeric, leaf.tests)):
            return f"a filter tests {leaf.place} as a number"
    return None


@rule(
    reason="it matches no record, or with exists: false every record",
    fix='Put the type letter under the attribute, such as {"status": {"S": ["PAID"]}}',
)
def filter_without_type_letter(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    for leaf in _leaves(consumer):
        if leaf.attribute_path and leaf.type_letter is None:
            return f"a filter tests {leaf.place} without a type letter"
    return None


@rule(
    reason="only values inside a map or a list are seen, so it matches no record",
    fix='Test a value inside, such as {"address": {"M": {"city": {"S": [{"exists": true}]}}}}',
)
def filter_tests_container(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    for leaf in _leaves(consumer):
        if leaf.type_letter in {"M", "L"}:
            return f"a filter tests {leaf.place} as a whole"
    return None


@rule(
    reason="no record of this stream has it, so the filter matches nothing",
    fix="Set the table's stream_view_type to one that carries the image, or test another image",
)
def filter_names_missing_image(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source = consumer.source
    if source is None or source.view_type is None:
        return None
    carried = IMAGES_OF_VIEW[source.view_type]
    for leaf in _leaves(consumer):
        if leaf.attribute_path and leaf.path[1] not in carried:
            return f"a filter tests {leaf.path[1]}, the stream carries {source.view_type}"
    return None


@rule(
    reason="no record has it, so the filter matches nothing",
    fix="Write INSERT, MODIFY or REMOVE",
)
def filter_names_unknown_event(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    for leaf in _leaves(consumer):
        texts = [test for test in leaf.tests if isinstance(test, str)]
        if leaf.path == ("eventName",) and (wrong := sorted(set(texts) - EVENT_NAMES)):
            return f"a filter tests eventName against {', '.join(wrong)}"
    return None


@rule(
    reason="the second one changes nothing and uses up one of five",
    fix="Remove it",
)
def duplicate_filter(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    filters = consumer.settings.filters if consumer.settings else ()
    same = [text for n, text in enumerate(filters) if text in filters[:n]]
    return f"the filter {same[0]} stands there twice" if same else None


def _leaves(consumer: Consumer) -> Iterator[_Leaf]:
    for text in consumer.settings.filters if consumer.settings else ():
        yield from _walk(json.loads(text), ())


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[_Leaf]:
    for name, below in node.items():
        if name == "$or" and isinstance(below, list):
            for each in below:
                yield from _walk(each, path)
        elif isinstance(below, dict):
            yield from _walk(below, (*path, name))
        else:
            yield _Leaf((*path, name), below)


def _is_numeric(test: Any) -> bool:
    number = isinstance(test, (int, float)) and not isinstance(test, bool)
    return number or (isinstance(test, dict) and "numeric" in test)


RULES: Final[tuple[Rule, ...]] = (
    filter_compares_number,
    filter_without_type_letter,
    filter_tests_container,
    filter_names_missing_image,
    filter_names_unknown_event,
    duplicate_filter,
)
