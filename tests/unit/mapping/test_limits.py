"""Amazon's numbers: each stands once in the code, whoever needs it imports it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cdk_streams.mapping import PARTIAL_RESPONSE_VARIABLE, REJECT_QUEUE_VARIABLE
from lambda_runtime._batches.processing import PARTIAL_RESPONSE
from lambda_runtime._batches.rejects import REJECT_QUEUE_URL

ROOT = Path(__file__).parents[3]
COPIES = {
    "Lambda's timeout of 3 s": r"timedelta\(seconds=3\)|timeout\w*\b[^\n]*= ?3(_000|\.0)?\b",
    "Lambda's memory of 128 MB": r"memory\w*\b[^\n]*[=,(] ?128\b(?! to )",
    "Lambda's payload of 6 MB": r"\b6 \* 1024 \* 1024|\b629_?1_?456",
    "the variable for partial responses": r"\"STREAM_PARTIAL_RESPONSE\"",
}
HOMES = {"cdk_streams/mapping/limits.py", "cdk_streams/mapping/_settings.py"}


def test_the_runtime_reads_the_variable_that_the_construct_sets() -> None:
    assert PARTIAL_RESPONSE == PARTIAL_RESPONSE_VARIABLE
    assert REJECT_QUEUE_URL == REJECT_QUEUE_VARIABLE


@pytest.mark.parametrize("number", COPIES)
def test_a_number_of_lambdas_stands_once(number: str) -> None:
    copies = []
    for path in sorted((ROOT / "cdk_streams").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        found = re.findall(COPIES[number], path.read_text(encoding="utf-8"), re.IGNORECASE)
        copies += [name] if found else []
    assert len(copies) == 1
    assert {*copies} <= HOMES
