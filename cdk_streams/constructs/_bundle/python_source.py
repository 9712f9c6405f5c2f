"""What a Python file imports and defines, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Import", "PythonSource", "imported_modules", "read_source"]

# The blocks of a statement; of an `if`, what runs when it is true comes first.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class Import(NamedTuple):
    """One module of an import statement.

    `from ..a.b import c, d` has the module `a.b`, the names `("c", "d")`, which may be modules
    too, and the level 2. `where` says what surrounds it: a `function`, or a `choice`, which is an
    `if`, a `try` or `with suppress`, or both, a `choice in a function`; "" is the module itself.
    """

    module: str
    names: tuple[str, ...]
    level: int
    line: int
    where: str


class PythonSource(NamedTuple):
    """What a Python file imports, and the names that it binds at its top level.

    `names` is None when that cannot be told: for `from x import *`, for names bound inside `if` and
    `try`, and for syntax that is newer than the Python that runs this; there are no imports then.
    """

    imports: tuple[Import, ...]
    names: frozenset[str] | None


def read_source(source: bytes) -> PythonSource:
    """Read a Python file; what stands under `if TYPE_CHECKING:` is left out, as it is never run."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return PythonSource((), None)
    found = (each for statement in body for each in _imports(statement, ""))
    return PythonSource(tuple(found), _defined_names(body))


def imported_modules(source: PythonSource) -> set[str]:
    """Return the modules that a Python file imports, with the packages that they are in.

    `from lambda_runtime.forward import EventBus` gives `lambda_runtime`, `lambda_runtime.forward`
    and `lambda_runtime.forward.EventBus`, which may be a module.
    """
    named: set[str] = set()
    for each in source.imports:
        if not each.level:
            named.update([each.module, *(f"{each.module}.{name}" for name in each.names)])
    return {
        ".".join(parts[:length])
        for parts in (name.split(".") for name in named)
        for length in range(1, len(parts) + 1)
    }


def _imports(statement: ast.AST, where: str) -> Iterator[Import]:
    match statement:
        case ast.Import(names=aliases, lineno=line):
            for alias in aliases:
                yield Import(alias.name, (), 0, line, where)
        case ast.ImportFrom(module=module, names=aliases, level=level, lineno=line):
            names = tuple(alias.name for alias in aliases)
            yield Import(module or "", names, level, line, where)
        case _:
            inside = _inside(statement, where)
            blocks = _BLOCKS[1:] if _is_for_types(statement) else _BLOCKS
            for block in blocks:
                for each in getattr(statement, block, ()):
                    yield from _imports(each, inside)


def _is_for_types(statement: ast.AST) -> bool:
    return isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)


def _suppresses(statement: ast.AST) -> bool:
    """Say whether a statement is `with suppress(ImportError):`."""
    return isinstance(statement, ast.With) and any(
        "suppress(" in ast.unparse(each.context_expr) for each in statement.items
    )


def _inside(statement: ast.AST, where: str) -> str:
    if isinstance(statement, (ast.If, ast.Try, ast.TryStar, ast.Match)) or _suppresses(statement):
        return "choice in a function" if where.endswith("function") else "choice"
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return "choice in a function" if where.startswith("choice") else "function"
    return where


def _defined_names(body: list[ast.stmt]) -> frozenset[str] | None:
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
    return None if "*" in names else frozenset(names)
