"""The error of an event that could not be forwarded."""

from __future__ import annotations

from lambda_runtime.errors import StreamRuntimeError

__all__ = ["ForwardError", "code_of"]


class ForwardError(StreamRuntimeError):
    """An event that its target refused, or a forwarder that cannot work as it is configured.

    The message names the operation and the service's error code, and no value of an item.
    """


def code_of(error: Exception) -> str:
    """Return the code of botocore's ClientError, or the name of any other error.

    The class is recognized by its attributes, so that botocore is not imported for it.
    """
    response = getattr(error, "response", None) or {}
    code = response.get("Error", {}).get("Code")
    return str(code) if code else type(error).__name__
