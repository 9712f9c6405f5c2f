"""Rules about filters that Lambda accepts and that do not do what they seem to do.

The constructs refuse such a filter. These rules are for those not validated, made with
`Filter.pattern(..., validate=False)`, and for templates that were written elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cdk_streams.checks._facts import Consumer
from cdk_streams.checks._rule import Rule, rule
from cdk_streams.filters import (
    IneffectiveCondition,
    IneffectiveKind,
    find_ineffective_conditions,
    missing_image,
)

__all__ = ["RULES"]


@rule(
    "FilterComparesNumber",
    reason="a stream record holds a number as text, which no numeric test matches",
    fix='Compare with the number\'s text, such as {"N": ["100"]}, or test it in the handler',
)
def filter_compares_number(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "number", "a filter tests {where} as a number")


@rule(
    "FilterComparesOtherType",
    reason="every value in a record has one type, so this one equals none of them",
    fix="Write text for S, N and B, and true or false for BOOL and NULL",
)
def filter_compares_other_type(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "value", "a filter tests {where} against a value of another type")


@rule(
    "FilterWithoutTypeLetter",
    reason="it matches no record, or with exists: false every record",
    fix='Put the type letter under the attribute, such as {"status": {"S": ["PAID"]}}',
)
def filter_without_type_letter(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "letter", "a filter tests {where} without a type letter")


@rule(
    "FilterTestsContainer",
    reason="only values inside a map or a list are seen, so it matches no record",
    fix='Test a value inside, such as {"address": {"M": {"city": {"S": [{"exists": true}]}}}}',
)
def filter_tests_container(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "container", "a filter tests {where} as a whole")


@rule(
    "FilterNamesMissingImage",
    reason="no record of this stream has it, so the filter matches nothing",
    fix="Set the table's stream_view_type to one that carries the image, or test another image",
    template_fix="Set the table's StreamViewType to one that carries the image, or test "
    "another image",
)
def filter_names_missing_image(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source, settings = consumer.source, consumer.settings
    if source is None or source.view_type is None or settings is None:
        return None
    for text in settings.filters:
        if image := missing_image(text, source.view_type):
            return f"a filter tests {image}, the stream carries {source.view_type}"
    return None


@rule(
    "FilterNamesUnknownEvent",
    reason="no record has it, so the filter matches nothing",
    fix="Write INSERT, MODIFY or REMOVE",
)
def filter_names_unknown_event(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "event", "a filter tests {where} against an unknown event name")


@rule(
    "FilterNamesUnknownField",
    reason="no record has such a field, so the filter matches nothing",
    fix="Write the field as DynamoDB does, such as dynamodb.NewImage",
)
def filter_names_unknown_field(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    return _ineffective(consumer, "field", "a filter tests {where}")


@rule(
    "ExpiredFilterOnReplicas",
    reason="a delete that is replicated from another region has no userIdentity, so what expires "
    "there does not match",
    fix="Match Filter.remove() and tell expired items by their own attribute, in the handler",
    template_fix='Match {"eventName": ["REMOVE"]} and tell expired items by their own '
    "attribute, in the handler",
)
def expired_filter_on_replicas(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    source, settings = consumer.source, consumer.settings
    if source is None or settings is None or not source.replicas:
        return None
    if not any('"userIdentity"' in text for text in settings.filters):
        return None
    return f"a filter tests userIdentity, and {source.name} has replicas"


@rule(
    "DuplicateFilter",
    reason="the second one changes nothing and counts against the quota of five",
    fix="Remove it",
)
def duplicate_filter(consumer: Consumer, _: Sequence[Consumer]) -> str | None:
    filters = consumer.settings.filters if consumer.settings else ()
    same = [text for n, text in enumerate(filters) if text in filters[:n]]
    return f"the filter {same[0]} is listed twice" if same else None


def _ineffective(consumer: Consumer, kind: IneffectiveKind, message: str) -> str | None:
    where = next(
        (each.where for each in _ineffective_conditions(consumer) if each.kind == kind), None
    )
    return None if where is None else message.format(where=where.removeprefix("$."))


def _ineffective_conditions(consumer: Consumer) -> Iterator[IneffectiveCondition]:
    for text in consumer.settings.filters if consumer.settings else ():
        yield from find_ineffective_conditions(text)


RULES: Final[tuple[Rule, ...]] = (
    filter_compares_number,
    filter_compares_other_type,
    filter_without_type_letter,
    filter_tests_container,
    filter_names_missing_image,
    filter_names_unknown_event,
    filter_names_unknown_field,
    expired_filter_on_replicas,
    duplicate_filter,
)
