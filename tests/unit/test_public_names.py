from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import cdk_streams
from tools.write_api_page import PAGE, module_name, page, public_modules, rows

FACADES = [module_name(path) for path in public_modules()]


@pytest.mark.parametrize("name", cdk_streams.__all__)
def test_each_public_name_is_there(name: str) -> None:
    public = getattr(cdk_streams, name)
    # Keys, NewImage and OldImage are values, which have a name of their own; targets is a package.
    if not name.isupper():
        own_name = getattr(public, "__name__", getattr(public, "name", ""))
        assert own_name.rpartition(".")[2] == name
    assert name in dir(cdk_streams)


@pytest.mark.parametrize("facade", FACADES)
def test_every_facade_loads_exactly_the_names_that_it_lists(facade: str) -> None:
    package = import_module(facade)
    assert package.__all__ == [*dict.fromkeys(package.__all__)]
    assert {*package.__all__} <= {*dir(package)}
    for name in package.__all__:
        assert getattr(package, name) is getattr(package, name)


def test_the_page_of_public_names_is_what_the_code_lists() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make api"


def test_each_public_name_says_in_one_sentence_what_it_is() -> None:
    assert [
        name for path in public_modules() for name, sentence in rows(path) if not sentence
    ] == []


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'cdk_streams' has no attribute 'Nope'"):
        _ = cdk_streams.Nope  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "names",
    ["MappingSettings, SettingsError", "simulator", "lambda_local, live, local, redrive, testing"],
    ids=["values", "simulator", "operations"],
)
def test_aws_cdk_and_boto3_are_not_loaded_without_the_constructs(names: str) -> None:
    code = (
        f"import sys; from cdk_streams import {names}\n"
        "print({'aws_cdk', 'jsii', 'boto3'} & {*sys.modules})"
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"
