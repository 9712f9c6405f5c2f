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
from cdk_streams.template._values import kind_of

__all__ = ["Document", "load"]

Document: TypeAlias = "Mapping[str, Any] | str | PathLike[str]"
"""A template: its values, its JSON or YAML text, or the path of its file."""


def load(document: Document, *, name: str = "the template's text") -> Mapping[str, Any]:
    """Return the template as plain values: `!GetAtt A.Arn` becomes `{"Fn::GetAtt": ["A", "Arn"]}`.

    Text is a template when it has more than one line or begins with `{`; otherwise it is a path.
    `name` is what messages call a text.

    Raises:
        TemplateError: There is no such file, or it is no template.

    """
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, (str, PathLike)):
        raise TemplateError(
            f"a template must be a dict, a text or a path, got {type(document).__name__}; of a "
            "stack of CDK, pass Template.from_stack(stack).to_json()"
        )
    given = fspath(document).removeprefix("\ufeff")
    is_text = isinstance(document, str) and ("\n" in given or given.lstrip().startswith("{"))
    shown = name if is_text else given
    text = given if is_text else _read(given)
    if not text.strip():
        raise TemplateError(f"{shown} must hold a template, got nothing: it is empty")
    loaded = _parsed(text, shown)
    if not isinstance(loaded, Mapping):
        raise TemplateError(f"{shown} must hold a template, got {kind_of(loaded)}")
    resources = loaded.get("Resources")
    if resources is None:
        raise TemplateError(f"{shown} must hold a template, got an object without Resources")
    if not isinstance(resources, Mapping):
        raise TemplateError(
            f"{shown} must hold a template, got Resources that are {kind_of(resources)}"
        )
    return loaded


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TemplateError(
            f"{name} must hold a template in JSON or YAML, got a file that is no UTF-8 text"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: no name of a file.
        why = error.strerror if isinstance(error, OSError) else error
        raise TemplateError(f"the template {name!r} must be readable, got: {why}") from None


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
    except RecursionError:
        raise TemplateError(f"{shown} is nested too deeply to be read") from None
    except ValueError as error:
        raise TemplateError(f"{shown} must be JSON or YAML, got {problem or error}") from None
