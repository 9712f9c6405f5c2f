"""The filters of a consumer as they were given: CDK's wrapping taken off, what is wrong refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cdk_streams.filters import Filter

__all__ = ["refuse_traps", "unwrap"]


def unwrap(filters: Any) -> Any:
    """Return the patterns for the settings, which judge them.

    What CDK's `FilterCriteria.filter(...)` gives is `{"pattern": "<JSON>"}`.
    """
    if isinstance(filters, (str, Mapping, Filter)):
        return filters
    return [
        each["pattern"] if isinstance(each, Mapping) and set(each) == {"pattern"} else each
        for each in filters
    ]


def refuse_traps(given: Iterable[Any], texts: Sequence[str], view_type: str | None) -> None:
    """Refuse patterns that Lambda takes and that no record of the stream can decide.

    `texts` are those given, found valid. A `Filter` was validated when it was made, unless it came
    from `Filter.pattern(..., validate=False)`. That the stream lacks an image is known here only.

    Raises:
        FilterError: The first such pattern, with its place and what to write instead.

    """
    for each, text in zip(given, texts, strict=True):
        judged = each if isinstance(each, Filter) else Filter.pattern(text)
        if view_type is not None:
            judged.check(view_type)
