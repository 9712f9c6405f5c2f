"""Write docs/api.md: each public name with the first sentence of its docstring.

Run it after a change of a package's `__all__` or of such a sentence; a test compares the page with
the code. The sources are only read, so that listing the constructs starts no Node process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
# Modules that are public beside the packages.
MODULES = (
    "cdk_streams/arns.py",
    "cdk_streams/errors.py",
    "cdk_streams/mapping/presets.py",
)
INTRODUCTION = """# Public names

A version number covers these names and nothing else: what the package in a heading lists, with the
behaviour that the other pages describe, and the command's options ([cli.md](cli.md)). Modules and
packages that begin with an underscore may change at any time. Until 1.0 a minor version may change
a public name, and says so in the change log; from then on only a major version does. A construct's
logical ids count as public names.

This page is written by `make api` from the docstrings.
"""


@cache
def tree_of(path: Path) -> ast.Module:
    """Parse a source file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def public_modules() -> list[Path]:
    """Return the packages and modules that list public names, in the order of the page."""
    packages = [
        path
        for package in ("cdk_streams", "lambda_runtime")
        for path in sorted((ROOT / package).rglob("__init__.py"))
        if not any(part.startswith("_") for part in path.relative_to(ROOT).parts[:-1])
    ]
    found = [*packages, *(ROOT / module for module in MODULES)]
    return sorted((path for path in found if listed(path)), key=module_name)


def module_name(path: Path) -> str:
    """Return a file's module: `cdk_streams.mapping`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def file_of(module: str) -> Path:
    """Return the file of a module of ours."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def listed(path: Path) -> list[str]:
    """Return the names in a module's `__all__`, in alphabetical order."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return sorted(ast.literal_eval(node.value), key=str.lower)
    return []


def docstring_of(name: str, path: Path) -> str:
    """Return the docstring of a name that a module defines, or imports from one that does."""
    body = list(_statements(tree_of(path).body))
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return ast.get_docstring(node) or ""
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            return _text_of(following)
    for node in body:
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            home = file_of(str(node.module))
            if home != path and (found := docstring_of(name, home)):
                return found
            submodule = file_of(f"{node.module}.{name}")
            return ast.get_docstring(tree_of(submodule)) or "" if submodule.exists() else ""
    return ""


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those below `if TYPE_CHECKING` too."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _statements(node.body)


def _text_of(node: ast.stmt | None) -> str:
    """Return the text below an assignment, which describes what is assigned."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""


def first_sentence(docstring: str) -> str:
    """Return a docstring's first sentence on one line, as a cell of a table."""
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    sentence = re.split(r"(?<=[.:]) (?=[A-Z`])", paragraph)[0]
    return sentence.rstrip(".:").replace("|", r"\|")


def rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each public name of a module with its sentence, which may be empty."""
    for name in listed(path):
        yield name, first_sentence(docstring_of(name, path))


def page() -> str:
    """Return the page as the code says it."""
    parts = [INTRODUCTION]
    for path in public_modules():
        lines = [f"| `{name}` | {sentence} |" for name, sentence in rows(path)]
        parts += [f"## {module_name(path)}\n", "| name | what it is |\n|---|---|", *lines, ""]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: written")
