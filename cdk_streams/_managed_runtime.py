"""What Lambda's managed Python runtime brings besides the standard library."""

from __future__ import annotations

import sys
from typing import Final

__all__ = ["RUNTIME_PACKAGES", "standard_library"]

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

_REMOVED: Final = {
    12: {"asynchat", "asyncore", "distutils", "imp", "smtpd"},
    13: {
        *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap"),
        *("msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau"),
        *("telnetlib", "uu", "xdrlib"),
    },
}
_ADDED: Final = {14: {"annotationlib", "compression"}}
"""Modules that the minor versions of Python 3 took out of the standard library, and added."""


def standard_library(python: str) -> frozenset[str]:
    """Return the top-level modules of the standard library of a Python, such as `"3.13"`.

    `sys` knows those of the Python that runs this, which may be another one.

    https://docs.python.org/3/whatsnew/3.13.html#removed-modules-and-apis
    """
    minor = int(python.split(".")[1])
    names = {*sys.stdlib_module_names}.union(*_REMOVED.values(), *_ADDED.values())
    removed = (gone for since, gone in _REMOVED.items() if minor >= since)
    later = (added for since, added in _ADDED.items() if minor < since)
    return frozenset(names.difference(*removed, *later))
