"""What a Python file imports and defines, read without running it."""

from __future__ import annotations

import ast

__all__ = ["defined_names", "imports"]


def imports(source: bytes) -> set[str]:
    """Return the modules that a Python file imports, with the packages that they are in.

    `from lambda_runtime.forward import EventBus` gives `lambda_runtime`, `lambda_runtime.forward`
    and `lambda_runtime.forward.EventBus`, which may be a module. A file that is no Python of this
    version gives none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named.update(f"{node.module}.{alias.name}" for alias in node.names)
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
