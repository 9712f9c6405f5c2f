"""Compiling: once for each text, and never again for a record."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, cast

import pytest

from cdk_streams.errors import FilterError
from cdk_streams.filters import compile_pattern, matches
from cdk_streams.filters._engine import pattern as engine

RECORD: dict[str, Any] = {
    "eventName": "INSERT",
    "dynamodb": {"Keys": {"pk": {"S": "ORDER#1"}}, "NewImage": {"total": {"N": "10.5"}}},
}


def test_a_pattern_is_compiled_once_for_any_number_of_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pattern = '{"eventName":["INSERT"],"unique to this test":[{"exists":false}]}'
    assert matches(pattern, RECORD)

    def refuse(text: str) -> None:
        pytest.fail(f"read the pattern again: {text}")

    monkeypatch.setattr(engine, "read_document", refuse)
    monkeypatch.setattr(engine, "read_alternatives", refuse)
    assert all(matches(pattern, RECORD) for _ in range(100))
    assert matches(json.loads(pattern), RECORD) is matches(pattern, RECORD)


def test_the_same_text_gives_the_same_compiled_pattern() -> None:
    assert compile_pattern('{"a": ["1"]}') is compile_pattern('{"a": ["1"]}')


def test_compiled_patterns_are_equal_by_text_and_survive_copying() -> None:
    compiled = compile_pattern('{"eventName": ["INSERT"]}')

    assert pickle.loads(pickle.dumps(compiled)) == compiled  # noqa: S301 - our own bytes
    assert copy.deepcopy({"filter": compiled}) == {"filter": compiled}
    assert repr(compiled) == """CompiledPattern(text='{"eventName": ["INSERT"]}')"""


def test_matching_leaves_the_record_alone() -> None:
    before = copy.deepcopy(RECORD)
    matches('{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "ORDER#"}]}}}}', RECORD)
    assert before == RECORD


def test_paths_name_what_a_pattern_tests() -> None:
    compiled = compile_pattern(
        '{"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [1]}}]}'
    )

    assert compiled.paths == {"eventName", "dynamodb.SizeBytes"}


def test_what_is_not_a_pattern_is_refused() -> None:
    with pytest.raises(FilterError, match="must be a JSON object, got an array"):
        matches(cast("Any", ["eventName"]), RECORD)
