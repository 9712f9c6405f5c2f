"""A deployed function on this machine, in the runtime client that Lambda itself uses.

    with FunctionRunner(DeployedFunction(Path("cdk.out/asset.1f2e"), "audit.handler")) as runner:
        runner.invoke({"Records": []}).payload

Each name is loaded when it is first used: reading a template does not pay for boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_streams._lazy import lazy_names

if TYPE_CHECKING:
    from cdk_streams.lambda_local._compiled_packages import why_packages_fail_here
    from cdk_streams.lambda_local._environment import InvokeResponse
    from cdk_streams.lambda_local._function import DeployedFunction
    from cdk_streams.lambda_local._interpreters import Interpreter, find_interpreter
    from cdk_streams.lambda_local._logs import LogLine
    from cdk_streams.lambda_local._runner import FunctionRunner

__all__ = [
    "DeployedFunction",
    "FunctionRunner",
    "Interpreter",
    "InvokeResponse",
    "LogLine",
    "find_interpreter",
    "why_packages_fail_here",
]

if not TYPE_CHECKING:  # A type checker knows only the names above.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "cdk_streams.lambda_local._compiled_packages": "why_packages_fail_here",
            "cdk_streams.lambda_local._environment": "InvokeResponse",
            "cdk_streams.lambda_local._function": "DeployedFunction",
            "cdk_streams.lambda_local._interpreters": "Interpreter find_interpreter",
            "cdk_streams.lambda_local._logs": "LogLine",
            "cdk_streams.lambda_local._runner": "FunctionRunner",
        },
    )
