"""Settings that a template holds inside other objects: filters, destination, metrics, tags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args

from cdk_streams.errors import FilterError
from cdk_streams.filters import compile_pattern
from cdk_streams.mapping._destination_kinds import destination_kind, destination_names
from cdk_streams.mapping._kinds import Reference, check_switch, shown
from cdk_streams.mapping._setting import Setting
from cdk_streams.mapping.limits import MAX_DESTINATION_CHARACTERS, MAX_PATTERN_CHARACTERS

__all__ = [
    "MetricType",
    "Pattern",
    "filter_criteria",
    "metric_types",
    "on_failure_destination",
    "response_types",
    "tag_list",
]

MetricType: TypeAlias = Literal["EventCount"]
"""Metrics that a mapping may publish itself."""


class SupportsPattern(Protocol):
    """A filter value, such as `cdk_streams.Filter`; `text` is the pattern exactly as deployed."""

    @property
    def text(self) -> str:
        """Return the pattern as JSON text."""
        ...


Pattern: TypeAlias = "str | Mapping[str, Any] | SupportsPattern"
"""A filter as the settings accept it: JSON text, a dict, or a `Filter`."""

_TAGS_EXAMPLE: Final = "pass {'team': 'orders'}"
_PARTIAL_RESPONSES: Final = "ReportBatchItemFailures"


def filter_criteria(prop: str) -> Setting[tuple[str, ...], Iterable[Pattern] | None]:
    """Declare the event patterns, kept as JSON text: `{"Filters": [{"Pattern": "…"}]}`."""

    def read(value: Any, faults: list[str]) -> Any:
        filters = _part(_part(value, prop, dict, faults).get("Filters"), "Filters", list, faults)
        return [
            _pattern_in_template(each["Pattern"], f"{prop}.Filters[{index}].Pattern", faults)
            if isinstance(each, Mapping) and "Pattern" in each
            else each
            for index, each in enumerate(filters)
        ]

    return Setting(
        prop=prop,
        default=(),
        check=_check_patterns,
        write=lambda texts: {"Filters": [{"Pattern": text} for text in texts]},
        read=read,
    )


def on_failure_destination(prop: str) -> Setting[Reference | None, Reference | None]:
    """Declare where failure records go: `{"OnFailure": {"Destination": "arn:…"}}`."""

    def read(value: Any, faults: list[str]) -> Any:
        config = _part(value, prop, dict, faults)
        if config.get("OnSuccess"):
            faults.append(f"{prop}.OnSuccess is not for streams; remove it")
        on_failure = _part(config.get("OnFailure"), "OnFailure", dict, faults)
        return on_failure.get("Destination") or None

    return Setting(
        prop=prop,
        default=None,
        check=_check_destination,
        write=lambda destination: {"OnFailure": {"Destination": destination}},
        read=read,
    )


def response_types(prop: str) -> Setting[bool, bool]:
    """Declare whether partial batch responses are read: `["ReportBatchItemFailures"]`."""

    def read(value: Any, faults: list[str]) -> bool:
        kinds = _part(value, prop, list, faults)
        if kinds not in ([], [_PARTIAL_RESPONSES]):
            faults.append(f"{prop} must be ['{_PARTIAL_RESPONSES}'] or left out, got {kinds!r}")
        return bool(kinds)

    return Setting(
        prop=prop,
        default=False,
        check=check_switch,
        write=lambda _: [_PARTIAL_RESPONSES],
        read=read,
    )


def metric_types(prop: str) -> Setting[tuple[MetricType, ...], Iterable[MetricType] | None]:
    """Declare which metrics of its own the mapping publishes: `{"Metrics": ["EventCount"]}`."""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        if value is not None and (isinstance(value, bytes) or not isinstance(value, Iterable)):
            faults.append(
                f"{name} must be a list of metrics, got {shown(value)}; write ['EventCount']"
            )
            return ()
        types = (value,) if isinstance(value, str) else tuple(value or ())
        if unknown := [each for each in types if each not in get_args(MetricType)]:
            faults.append(f"{name} must be EventCount, got {unknown}; the others are Kafka's")
        return types

    def read(value: Any, faults: list[str]) -> Any:
        config = _part(value, prop, dict, faults)
        return _part(config.get("Metrics"), "Metrics", list, faults)

    return Setting(
        prop=prop,
        default=(),
        check=check,
        write=lambda types: {"Metrics": list(types)},
        read=read,
    )


def tag_list(
    prop: str,
) -> Setting[tuple[tuple[str, str], ...], Mapping[str, str] | Iterable[tuple[str, str]] | None]:
    """Declare the tags: `[{"Key": "team", "Value": "orders"}]`."""

    def check(name: str, value: Any, faults: list[str]) -> Any:
        if value is not None and not isinstance(value, Iterable):
            faults.append(f"{name} must be a dict of texts, got {shown(value)}; {_TAGS_EXAMPLE}")
            return ()
        pairs = tuple(value.items() if isinstance(value, Mapping) else value or ())
        if wrong := [pair for pair in pairs if not _is_tag(pair)]:
            faults.append(f"{name} must be pairs of texts, got {wrong[0]!r}; {_TAGS_EXAMPLE}")
            return ()
        return tuple(map(tuple, pairs))

    def read(value: Any, faults: list[str]) -> Any:
        return [
            (tag.get("Key"), tag.get("Value")) if isinstance(tag, Mapping) else tag
            for tag in _part(value, prop, list, faults)
        ]

    return Setting(
        prop=prop,
        default=(),
        check=check,
        write=lambda tags: [{"Key": name, "Value": value} for name, value in tags],
        read=read,
    )


def _check_patterns(name: str, filters: Any, faults: list[str]) -> tuple[str, ...]:
    if isinstance(filters, (str, Mapping)) or hasattr(filters, "text"):
        faults.append(f"{name} must be a list of patterns, got one pattern; put it into a list")
        return ()
    if filters is not None and (isinstance(filters, bytes) or not isinstance(filters, Iterable)):
        faults.append(
            f"{name} must be a list of patterns, got {shown(filters)}; write [Filter.insert()]"
        )
        return ()
    texts = [
        _pattern_text(each, f"{name}[{index}]", faults) for index, each in enumerate(filters or ())
    ]
    return tuple(text for text in texts if text is not None)


def _pattern_text(pattern: Any, where: str, faults: list[str]) -> str | None:
    """Return a pattern as JSON text, None for what is none; Lambda's faults are gathered."""
    text = getattr(pattern, "text", pattern)
    if isinstance(text, Mapping):
        try:
            text = json.dumps(text, separators=(",", ":"), ensure_ascii=False)
        except (TypeError, ValueError) as error:
            faults.append(f"{where} must be a dict of JSON values: {error}; write its JSON as text")
            return None
    if not isinstance(text, str):
        faults.append(
            f"{where} must be JSON text, a dict or a Filter, got {type(pattern).__name__}; write "
            "Filter.insert(…), Filter.modify(…), Filter.remove(…) or Filter.any_event(…) around it"
        )
        return None
    if len(text) > MAX_PATTERN_CHARACTERS:
        faults.append(
            f"{where} must have at most {MAX_PATTERN_CHARACTERS:,} characters, "
            f"got {len(text):,}; split it into several filters or test fewer attributes"
        )
    try:
        compile_pattern(text)
    except FilterError as error:
        inside = error.where.removeprefix("$").removeprefix(".")
        faults.append(f"{where}{f', {inside}' if inside else ''}: {error.why}")
    return text


def _pattern_in_template(pattern: Any, where: str, faults: list[str]) -> Any:
    """Return the text of a pattern; CloudFormation takes no object in its place."""
    if not isinstance(pattern, Mapping):
        return pattern
    what = shown(pattern) if _is_reference(pattern) else "an object; write its JSON as text"
    faults.append(f"{where} must be text, got {what}")
    return '{"eventName":["INSERT"]}'


def _check_destination(name: str, destination: Any, faults: list[str]) -> Any:
    if destination is None or isinstance(destination, Mapping):
        return destination
    if not isinstance(destination, str):
        faults.append(
            f"{name} must be the ARN of a {destination_names()}, got {shown(destination)}"
        )
        return None
    if destination.startswith("${Token["):
        return destination
    kind = destination_kind(destination)
    if kind is None or len(destination) > MAX_DESTINATION_CHARACTERS:
        faults.append(
            f"{name} must be the ARN of a {destination_names()} of at most "
            f"{MAX_DESTINATION_CHARACTERS} characters, got {destination[:80]!r}"
        )
    elif destination.endswith(".fifo"):
        faults.append(
            f"{name} must be a standard {kind.name}, got {destination!r}: "
            "Lambda cannot send failure records to a FIFO one and would lose them"
        )
    return destination


def _is_tag(tag: Any) -> bool:
    if not isinstance(tag, (tuple, list)) or len(tag) != 2:  # noqa: PLR2004 - a pair
        return False
    # In a template a tag's value may be a reference, such as {"Ref": "AWS::StackName"}.
    return isinstance(tag[0], str) and isinstance(tag[1], (str, Mapping))


def _part(value: Any, name: str, kind: type, faults: list[str]) -> Any:
    """Return a part of the properties; an empty one for what is missing or of another kind."""
    reference = isinstance(value, Mapping) and _is_reference(value)
    if value is None or (isinstance(value, kind) and not reference):
        return kind() if value is None else value
    what = "an object" if kind is dict else "a list"
    given = (
        f"the reference {json.dumps(value, default=repr)}; resolve it"
        if reference
        else repr(value)[:80]
    )
    faults.append(f"{name} must be {what}, got {given}")
    return kind()


def _is_reference(value: Mapping[str, Any]) -> bool:
    return any(key == "Ref" or key.startswith("Fn::") for key in value)
