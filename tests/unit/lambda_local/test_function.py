from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams.lambda_local._function import DeployedFunction, process_environment
from cdk_streams.lambda_local._interpreters import Interpreter

PYTHON = Interpreter("python", (3, 13), ())
ARN = "arn:aws:lambda:eu-west-1:000000000000:function:audit"


def variables(
    function: DeployedFunction, layers: tuple[Path, ...] = (), **connection: str
) -> dict[str, str]:
    return process_environment(
        function,
        PYTHON,
        task_root=Path("task"),
        layer_roots=layers,
        runtime_root=Path("runtime"),
        scratch=Path("scratch"),
        connection=connection,
    )


def test_a_function_knows_its_name_memory_region_and_handler() -> None:
    env = variables(DeployedFunction(Path("a"), "audit.handler", name="audit", arn=ARN))
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "audit"
    assert env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert env["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert env["_HANDLER"] == "audit.handler"
    assert env["LAMBDA_TASK_ROOT"] == "task"


def test_deployed_variables_reach_the_function() -> None:
    function = DeployedFunction(Path("a"), "a.h", environment={"STREAM_PARTIAL_RESPONSE": "1"})
    assert variables(function)["STREAM_PARTIAL_RESPONSE"] == "1"


def test_a_deployed_variable_cannot_replace_one_of_lambdas() -> None:
    function = DeployedFunction(Path("a"), "a.h", environment={"_HANDLER": "other.h"})
    assert variables(function)["_HANDLER"] == "a.h"


def test_the_connection_wins_over_deployed_variables() -> None:
    function = DeployedFunction(Path("a"), "a.h", environment={"AWS_ENDPOINT_URL": "far"})
    assert variables(function, AWS_ENDPOINT_URL="near")["AWS_ENDPOINT_URL"] == "near"


def test_a_later_layer_is_searched_before_an_earlier_one_and_the_runtime_last() -> None:
    env = variables(DeployedFunction(Path("a"), "a.h"), (Path("first"), Path("second")))
    assert env["PYTHONPATH"].split(":") == [
        "second/python/lib/python3.13/site-packages",
        "second/python",
        "first/python/lib/python3.13/site-packages",
        "first/python",
        "runtime",
    ]


def test_nothing_is_inherited_from_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    env = variables(DeployedFunction(Path("a"), "a.h"))
    assert "HOME" not in env
    assert "AWS_SECRET_ACCESS_KEY" not in env


def test_a_function_without_an_arn_gets_one_from_its_name() -> None:
    function = DeployedFunction(Path("a"), "a.h", name="audit")
    assert function.invoked_arn == "arn:aws:lambda:us-east-1:000000000000:function:audit"
