"""What is wrong with a handler's file, seen without running it."""

from __future__ import annotations

import ast
import sys

from cdk_streams.errors import CodeError

__all__ = ["check_handler_source"]

# Faults that no later version of Python has made its syntax.
_FAULTS_OF_EVERY_PYTHON = (
    "was never closed",
    "expected an indented block",
    "unexpected indent",
    "unindent does not match",
)


def check_handler_source(source: bytes, index: str, handler: str, *, python: str) -> None:
    """Refuse a file that Python cannot read, and a handler that is a Router and no function.

    `python` is the function's version, such as "3.13". What may be syntax of a Python newer than
    the one that runs this is left to Lambda.

    Raises:
        CodeError: With the file and the line.

    """
    try:
        body = ast.parse(source).body
    except ValueError as error:
        raise CodeError(f"{index} must be a Python file, got {error}") from None
    except SyntaxError as error:
        is_newer = tuple(map(int, python.split("."))) > sys.version_info[:2]
        if is_newer and not any(each in error.msg for each in _FAULTS_OF_EVERY_PYTHON):
            return
        raise CodeError(
            f"{index} must be a Python file, got a syntax error in line {error.lineno}: {error.msg}"
        ) from None
    routers: set[str] = set()
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                is_router = _makes_router(value) or (
                    isinstance(value, ast.Name) and value.id in routers
                )
                (routers.add if is_router else routers.discard)(name)
            case _:
                pass
    if handler in routers:
        raise CodeError(
            f"handler must be a function, got the Router {handler} of {index}; write "
            f"{handler} = router.handler, with the router's name, and let Lambda call that"
        )


def _makes_router(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Name("Router") | ast.Attribute(attr="Router")):
            return True
        case _:
            return False
