from __future__ import annotations

import pytest

from cdk_streams.constructs._bundle.python_source import read_source


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"def handler(e, c): ...", {"handler"}),
        (b"async def handler(e, c): ...", {"handler"}),
        (b"from lambda_runtime import Router\non = Router()\nhandler = on.handler", None),
        (b"import audit as handler", {"handler"}),
        (b"handler: object = print", None),
        (b"class handler: ...", {"handler"}),
    ],
)
def test_the_names_of_a_module_are_read_without_running_it(
    source: bytes, names: set[str] | None
) -> None:
    found = read_source(source).names
    assert found is not None
    assert "handler" in found
    assert names is None or found == names


@pytest.mark.parametrize(
    "source", [b"from app import *", b"if True:\n    x = 1", b"match type x = =", b"\xff"]
)
def test_names_that_cannot_be_told_are_not_guessed(source: bytes) -> None:
    assert read_source(source).names is None
