"""A synthesized template without what changes although nobody changed the stack."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["masked_template"]

# What changes with every edit of a handler, or with another version of aws-cdk-lib.
_MASKS = (
    # The key and the digest of an asset, wherever they stand in a text.
    (re.compile(r"\b[0-9a-f]{64}\b"), "<asset hash>"),
    # The logical id of a function's version ends with a digest of its code and configuration.
    (re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}\b"), r"\1<version hash>"),
    # AWS::CDK::Metadata lists the constructs with the version of aws-cdk-lib, packed.
    (re.compile(r"\bv2:deflate64:[0-9A-Za-z+/=]+"), "<analytics>"),
)


def masked_template(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a template in which hashes and versions are masked, to compare by `==`.

    Masked are the hashes of assets (`<asset hash>`), the end of the logical ids of Lambda versions
    (`<version hash>`) and CDK's analytics, which name the version of aws-cdk-lib (`<analytics>`).

    Args:
        template: A template or a part of one, such as `Template.from_stack(stack).to_json()`.

    Raises:
        TypeError: The template holds a value that is not JSON.
    """
    text = json.dumps(template)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    masked: dict[str, Any] = json.loads(text)
    return masked
