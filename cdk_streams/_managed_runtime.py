"""What Lambda's managed Python runtime brings besides the standard library."""

from __future__ import annotations

from typing import Final

__all__ = ["RUNTIME_PACKAGES"]

RUNTIME_PACKAGES: Final = (
    "awslambdaric",
    "runtime_client",
    "snapshot_restore_py",
    "simplejson",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "urllib3",
)
"""Top-level modules of its /var/runtime, by import name."""
