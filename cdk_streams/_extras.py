"""The packages that come with an extra, and the sentence for one that is not installed."""

from __future__ import annotations

__all__ = ["EXTRA_OF", "install_sentence"]

# A test compares it with pyproject.toml.
EXTRA_OF = {
    "awslambdaric": "local",
    "boto3": "cli",
    "botocore": "cli",  # comes with boto3
    "click": "cli",
    "matplotlib": "plot",
    "ministack": "local",
    "rich": "cli",
    "syrupy": "testing",
    "watchfiles": "local",
    "yaml": "cli",
}


def install_sentence(who: str, module: str) -> str:
    """Return what to install when `who`, such as "cdk_streams.live", cannot import `module`."""
    extra = EXTRA_OF[module]
    return f"{who} needs {module}, which is not installed; pip install 'cdk-streams[{extra}]'"
