"""Whether a record matches a pattern, exactly as the engine behind Lambda decides it.

A record matches when one alternative holds, and that holds when each of its fields does. Fields
found in the same array must be found in the same element of it, so that
`{"L": {"M": {"k": …, "v": …}}}` means one member with both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cdk_streams.errors import FilterError
from cdk_streams.filters._engine.alternatives import read_alternatives
from cdk_streams.filters._engine.elements import holds_in_arrays
from cdk_streams.filters._engine.paths import find, path_tree
from cdk_streams.filters._engine.pattern_document import pattern_text, read_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_streams.filters._engine.alternatives import Alternative
    from cdk_streams.filters._engine.operators import Field
    from cdk_streams.filters._engine.paths import Found, PathNode

__all__ = ["CompiledPattern", "checked_record", "compile_pattern", "matches"]

_CACHED_PATTERNS = 512


@dataclass(frozen=True, slots=True)
class CompiledPattern:
    """A pattern ready to be matched against any number of records. Equal by its text."""

    text: str
    _tree: PathNode = field(repr=False, compare=False)
    _alternatives: tuple[tuple[tuple[str, Field], ...], ...] = field(repr=False, compare=False)

    @property
    def paths(self) -> frozenset[str]:
        """The paths that the pattern tests: `{"eventName", "dynamodb.NewImage.status.S"}`."""
        return frozenset(path for fields in self._alternatives for path, _ in fields)

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether Lambda would pass on this record, a dict as `json.loads` gives it."""
        found, in_arrays = find(self._tree, record)
        holds = holds_in_arrays if in_arrays else _holds
        return any(holds(fields, found) for fields in self._alternatives)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return compile_pattern, (self.text,)


def matches(pattern: str | Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record matches a pattern that is given as JSON text or as a dict.

    `matches('{"eventName": ["INSERT"]}', {"eventName": "INSERT", …})` is True. A pattern is
    compiled the first time it is seen. A dict cannot repeat a key; give such a pattern as text.

    Raises:
        FilterError: The pattern is one that Lambda would refuse, or the record is none: a list of
            records, or a whole event.

    """
    return compile_pattern(pattern).matches(checked_record(record))


def checked_record(record: Any) -> Mapping[str, Any]:
    """Return the record; a whole event, for which every test would be False, is refused.

    Raises:
        FilterError: It is no dict, or an event with Records.

    """
    if not isinstance(record, Mapping):
        got = type(record).__name__
    elif "Records" in record and "eventName" not in record:
        got = "an event; test each of its Records"
    else:
        return record
    raise FilterError(f"a record must be one element of an event's Records, got {got}")


def compile_pattern(pattern: str | Mapping[str, Any]) -> CompiledPattern:
    """Check and compile a pattern, given as JSON text or as a dict.

    The same text gives the same value again.

    Raises:
        FilterError: Lambda would refuse the pattern.

    """
    return _compile(pattern if isinstance(pattern, str) else pattern_text(pattern))


@lru_cache(_CACHED_PATTERNS)
def _compile(text: str) -> CompiledPattern:
    alternatives = read_alternatives(read_document(text))
    return CompiledPattern(
        text,
        path_tree(path for alternative in alternatives for path in alternative),
        tuple(map(_sorted_fields, alternatives)),
    )


def _sorted_fields(alternative: Alternative) -> tuple[tuple[str, Field], ...]:
    # The order counts: a missing field is looked for in the elements chosen by then. The engine
    # sorts names by their 16-bit units.
    paths = sorted(alternative, key=lambda path: path.encode("utf-16-be", "surrogatepass"))
    return tuple((path, alternative[path]) for path in paths)


def _holds(fields: Sequence[tuple[str, Field]], found: Found) -> bool:
    for path, wanted in fields:
        values = found.get(path)
        if values is None:
            if not wanted.absent:
                return False
        else:
            for value, _ in values:
                if wanted.matches(value):
                    break
            else:
                return False
    return True
