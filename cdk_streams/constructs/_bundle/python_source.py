"""What a Python file imports and defines, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Import", "defined_names", "import_statements", "imports"]


class Import(NamedTuple):
    """One module of an import statement.

    `from ..a.b import c, d` has the module `a.b`, the names `("c", "d")`, which may be modules
    too, and the level 2. `where` says what surrounds it: a `function`, or a `choice`, which is an
    `if` or `try`; "" is the module itself.
    """

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    where: str


def import_statements(source: bytes) -> list[Import]:
    """Return what a Python file imports; nothing for a file that is no Python of this version.

    What stands under `if TYPE_CHECKING:` is left out: it is never run.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    return list(_statements(tree, ""))


def _statements(node: ast.AST, where: str) -> Iterator[Import]:
    match node:
        case ast.Import(names=aliases, lineno=line):
            for alias in aliases:
                yield Import(alias.name, (), 0, line, where)
        case ast.ImportFrom(module=module, names=aliases, level=level, lineno=line):
            names = tuple(alias.name for alias in aliases)
            yield Import(module or "", names, level, line, where)
        case ast.If(test=test, orelse=otherwise) if "TYPE_CHECKING" in ast.unparse(test):
            for statement in otherwise:
                yield from _statements(statement, "choice")
        case _:
            for each in ast.iter_child_nodes(node):
                yield from _statements(each, _inside(node, where))


def _inside(node: ast.AST, where: str) -> str:
    if isinstance(node, (ast.If, ast.Try, ast.TryStar)):
        return "choice"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return where or "function"
    return where


def imports(source: bytes) -> set[str]:
    """Return the modules that a Python file imports, with the packages that they are in.

    `from lambda_runtime.forward import EventBus` gives `lambda_runtime`, `lambda_runtime.forward`
    and `lambda_runtime.forward.EventBus`, which may be a module.
    """
    named: set[str] = set()
    for each in import_statements(source):
        if not each.level:
            named.update([each.module, *(f"{each.module}.{name}" for name in each.names)])
    return {
        ".".join(parts[:length])
        for parts in (name.split(".") for name in named)
        for length in range(1, len(parts) + 1)
    }


def defined_names(source: bytes) -> set[str] | None:
    """Return the names a module binds at its top level; None when that cannot be told.

    It cannot for `from x import *`, for names bound inside `if` and `try`, and for syntax that
    is newer than the Python that runs this.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    names: set[str] = set()
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases)
            case ast.Assign() | ast.AnnAssign():
                names.update(node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
            case ast.Expr():
                pass
            case _:
                return None
    return None if "*" in names else names
