"""Public names of a package, each imported from its module when it is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from cdk_streams._extras import EXTRA_OF, install_sentence

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package.

        if not TYPE_CHECKING:
            __getattr__, __dir__ = lazy_names(__name__, {"cdk_streams.filters._filter": "Filter"})

    `homes` maps a module to the names it is the home of, separated by spaces. The package needs
    `__all__` and, for type checkers, the same imports below `if TYPE_CHECKING`. A name whose module
    needs a package that is not installed raises a ModuleNotFoundError that says which extra has it.
    """
    module_of = {name: module for module, names in homes.items() for name in names.split()}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(_load(package, module_of[name]), name)
        # Kept, so that Python asks here once for each name.
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of})

    return get, names


def _load(package: str, module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRA_OF:
            raise
        sentence = install_sentence(package, missing)
        raise ModuleNotFoundError(sentence, name=error.name) from None
