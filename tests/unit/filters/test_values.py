"""Rules for single values: each row is a pattern's array, a value of a record, and the answer."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cdk_streams.filters import matches

A20_DIGIT_NUMBER = 12345678901234567890

RULES = {
    "text equals the same text": ('["PAID"]', "PAID", True),
    "text is compared with its case": ('["PAID"]', "Paid", False),
    "several values are alternatives": ('["A", "B"]', "B", True),
    "the empty text equals the empty text": ('[""]', "", True),
    "true equals true": ("[true]", True, True),
    "true is not one": ("[true]", 1, False),
    "one is not true": ("[1]", True, False),
    "true is not the text true": ('["true"]', True, False),
    "false equals false": ("[false]", False, True),
    "false is not zero": ("[0]", False, False),
    "null equals null": ("[null]", None, True),
    "null is not the text null": ('["null"]', None, False),
    "a number equals the same value written otherwise": ("[300]", 300.0, True),
    "an exponent is the same number": ("[3e2]", 300, True),
    "minus zero is zero": ("[-0.0]", 0, True),
    "a number is not its text": ("[300]", "300", False),
    "a text is not its number": ('["300"]', 300, False),
    "a Decimal is a number": ("[0.1]", Decimal("0.10"), True),
    "a number beyond a double equals its own text": (
        f"[{A20_DIGIT_NUMBER}]",
        A20_DIGIT_NUMBER,
        True,
    ),
    "a number beyond a double is not its neighbour": (
        f"[{A20_DIGIT_NUMBER}]",
        A20_DIGIT_NUMBER + 1,
        False,
    ),
    "a large power of ten is held exactly": ("[1e22]", 10**22, True),
    "an overflowing number equals nothing finite": ("[1e400]", 1.0, False),
    "infinity is no number": ('[{"numeric": [">", 0]}]', float("inf"), False),
    "exactly is equality": ('[{"exactly": "a"}]', "a", True),
    "exactly takes an address as mere text": ('[{"exactly": "::1"}]', "0:0:0:0:0:0:0:1", False),
    "prefix holds at the beginning": ('[{"prefix": "ORDER#"}]', "ORDER#1", True),
    "prefix holds for the whole text": ('[{"prefix": "a"}]', "a", True),
    "prefix fails elsewhere": ('[{"prefix": "b"}]', "ab", False),
    "every text has the empty prefix": ('[{"prefix": ""}]', "", True),
    "no number has the empty prefix": ('[{"prefix": ""}]', 5, False),
    "prefix can ignore case": ('[{"prefix": {"equals-ignore-case": "oR"}}]', "OrDER", True),
    "suffix holds at the end": ('[{"suffix": ".png"}]', "a.png", True),
    "suffix is compared with its case": ('[{"suffix": ".png"}]', "a.PNG", False),
    "suffix can ignore case": ('[{"suffix": {"equals-ignore-case": ".png"}}]', "a.PnG", True),
    "suffix ignoring case still ends the text": (
        '[{"suffix": {"equals-ignore-case": "a"}}]',
        "A\n",
        False,
    ),
    "equals-ignore-case folds each letter": ('[{"equals-ignore-case": "pAiD"}]', "PaId", True),
    "equals-ignore-case takes the whole text": ('[{"equals-ignore-case": "a"}]', "ab", False),
    "sharp s is also two letters": ('[{"equals-ignore-case": "ß"}]', "SS", True),
    "the kelvin sign is not the letter k": ('[{"equals-ignore-case": "k"}]', "\u212a", False),
    "equals-ignore-case cannot match an emoji": ('[{"equals-ignore-case": "😀"}]', "😀", False),
    "a dot in equals-ignore-case is a dot": ('[{"equals-ignore-case": "a.c"}]', "abc", False),
    "wildcard takes any run": ('[{"wildcard": "a*c"}]', "abbc", True),
    "wildcard takes the empty run": ('[{"wildcard": "a*c"}]', "ac", True),
    "wildcard runs may hold line ends": ('[{"wildcard": "a*c"}]', "a\nc", True),
    "wildcard parts must not overlap": ('[{"wildcard": "ab*ba"}]', "aba", False),
    "wildcard parts come in order": ('[{"wildcard": "*b*a*"}]', "ab", False),
    "a lone wildcard takes every text": ('[{"wildcard": "*"}]', "", True),
    "a lone wildcard takes no number": ('[{"wildcard": "*"}]', 1, False),
    "an escaped star is a star": (r'[{"wildcard": "a\\*"}]', "a*", True),
    "an escaped star is not a run": (r'[{"wildcard": "a\\*"}]', "ab", False),
    "an escaped backslash is a backslash": (r'[{"wildcard": "a\\\\*"}]', "a\\b", True),
    "wildcard without a star is equality": ('[{"wildcard": "a"}]', "a", True),
    "numeric = compares by value": ('[{"numeric": ["=", 301.8]}]', 3.018e2, True),
    "numeric > is exclusive": ('[{"numeric": [">", 5]}]', 5, False),
    "numeric >= is inclusive": ('[{"numeric": [">=", 5]}]', 5, True),
    "numeric < is exclusive": ('[{"numeric": ["<", 5]}]', 5, False),
    "numeric <= is inclusive": ('[{"numeric": ["<=", 5]}]', 5, True),
    "a range holds between its bounds": ('[{"numeric": [">", 0, "<=", 5]}]', 5, True),
    "a range ends at its open bound": ('[{"numeric": [">", 0, "<=", 5]}]', 0, False),
    "numeric never sees a text": ('[{"numeric": [">", 0]}]', "5", False),
    "numeric never sees null": ('[{"numeric": ["<", 5]}]', None, False),
    "exists true takes any value": ('[{"exists": true}]', None, True),
    "exists false refuses a value": ('[{"exists": false}]', "", False),
    "anything-but takes another text": ('[{"anything-but": "a"}]', "b", True),
    "anything-but refuses its text": ('[{"anything-but": ["a", "b"]}]', "b", False),
    "anything-but takes null": ('[{"anything-but": "a"}]', None, True),
    "anything-but takes a number where it bans texts": ('[{"anything-but": "5"}]', 5, True),
    "anything-but compares numbers by value": ('[{"anything-but": [5]}]', 5.0, False),
    "anything-but takes a text where it bans numbers": ('[{"anything-but": 5}]', "5", True),
    "anything-but prefix refuses that beginning": (
        '[{"anything-but": {"prefix": "a"}}]',
        "ab",
        False,
    ),
    "anything-but prefix takes a list": ('[{"anything-but": {"prefix": ["a", "b"]}}]', "bc", False),
    "anything-but prefix takes numbers": ('[{"anything-but": {"prefix": "5"}}]', 5, True),
    "anything-but suffix refuses that end": ('[{"anything-but": {"suffix": "b"}}]', "ab", False),
    "anything-but suffix takes other ends": ('[{"anything-but": {"suffix": "b"}}]', "ba", True),
    "anything-but can ignore case": (
        '[{"anything-but": {"equals-ignore-case": ["a", "b"]}}]',
        "B",
        False,
    ),
    "anything-but can hold wildcards": ('[{"anything-but": {"wildcard": "a*"}}]', "ab", False),
    "operators of one array are alternatives": ('[{"prefix": "a"}, {"suffix": "z"}]', "bz", True),
    "literals and operators mix": ('["x", {"prefix": "a"}, null]', None, True),
}


@pytest.mark.parametrize(("values", "value", "expected"), RULES.values(), ids=RULES.keys())
def test_one_value(values: str, value: object, expected: bool) -> None:
    assert matches(f'{{"field": {values}}}', {"field": value}) is expected


ABSENT_RULES = {
    "exists false holds for a missing field": ('[{"exists": false}]', {}, True),
    "exists true fails for a missing field": ('[{"exists": true}]', {}, False),
    "null is not missing": ("[null]", {}, False),
    "missing is not null": ('[{"exists": false}]', {"field": None}, False),
    "anything-but needs a value": ('[{"anything-but": "a"}]', {}, False),
    "anything-but or missing": ('[{"anything-but": "a"}, {"exists": false}]', {}, True),
    "a value still has to pass beside exists false": (
        '[{"anything-but": "a"}, {"exists": false}]',
        {"field": "a"},
        False,
    ),
    "an object is no value": ('[{"exists": true}]', {"field": {"S": "x"}}, False),
    "an object counts as missing": ('[{"exists": false}]', {"field": {"S": "x"}}, True),
    "an empty object counts as missing": ('[{"exists": false}]', {"field": {}}, True),
    "an empty array counts as missing": ('[{"exists": false}]', {"field": []}, True),
    "an array of objects counts as missing": ('[{"exists": false}]', {"field": [{"S": "x"}]}, True),
    "an array of texts is a value": ('[{"exists": true}]', {"field": ["x"]}, True),
}


@pytest.mark.parametrize(
    ("values", "record", "expected"), ABSENT_RULES.values(), ids=ABSENT_RULES.keys()
)
def test_a_missing_field(values: str, record: dict[str, Any], expected: bool) -> None:
    assert matches(f'{{"field": {values}}}', record) is expected


def test_a_dict_and_its_text_mean_the_same() -> None:
    pattern = {"field": ["é", 1.5, True, None, {"prefix": "a"}]}
    for value in ("é", 1.5, True, None, "abc"):
        assert matches(pattern, {"field": value})
        assert matches(json.dumps(pattern), {"field": value})
