"""A template as it is given: a dict, text or a path, JSON or YAML with CloudFormation's short tags.

YAML needs PyYAML: `pip install 'cdk-streams[cli]'`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

from cdk_streams.errors import TemplateError

__all__ = ["Document", "load"]

Document: TypeAlias = "Mapping[str, Any] | str | PathLike[str]"
"""A template: its values, its JSON or YAML text, or the path of its file."""


def load(document: Document) -> Mapping[str, Any]:
    """Return the template as plain values: `!GetAtt A.Arn` becomes `{"Fn::GetAtt": ["A", "Arn"]}`.

    Text is a template when it has more than one line or begins with `{`; otherwise it is a path.

    Raises:
        TemplateError: There is no such file, or it is no template.

    """
    if isinstance(document, Mapping):
        return document
    name = fspath(document)
    is_text = isinstance(document, str) and ("\n" in name or name.lstrip().startswith("{"))
    shown = "the template's text" if is_text else name
    loaded = _parsed(name if is_text else _read(name), shown)
    if not isinstance(loaded, Mapping):
        raise TemplateError(f"{shown} must hold a template, got {type(loaded).__name__}")
    if not isinstance(loaded.get("Resources"), Mapping):
        raise TemplateError(f"{shown} must hold a template, got one without Resources")
    return loaded


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or no name of a file.
        raise TemplateError(f"the template {name!r} must be readable, got {error}") from None


def _parsed(text: str, shown: str) -> Any:
    problem: ValueError | None = None
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:  # YAML may begin so too.
            problem = error
        except RecursionError:
            raise TemplateError(f"{shown} is nested too deeply to be read") from None
    return _parsed_yaml(text, shown, problem)


def _parsed_yaml(text: str, shown: str, problem: ValueError | None) -> Any:
    try:
        from cdk_streams.template import _yaml  # noqa: PLC0415 - PyYAML comes with an extra
    except ImportError:
        if problem is not None:
            raise TemplateError(f"{shown} must be JSON or YAML, got {problem}") from None
        raise TemplateError(
            f"{shown} is YAML, which needs PyYAML; pip install 'cdk-streams[cli]'"
        ) from None
    try:
        return _yaml.parse(text)
    except ValueError as error:
        raise TemplateError(f"{shown} must be JSON or YAML, got {problem or error}") from None
