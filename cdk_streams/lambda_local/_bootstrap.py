"""The first lines that run inside a function's process; run as a script, never imported.

    python -S _bootstrap.py audit.handler

It differs from plain `python -m awslambdaric` in three things. The process ends with its driver,
`kill -9` included, and takes with it what it has started. The handler's own standard input is
empty, as on Lambda. The address of the Runtime API ends with a token.
"""

from __future__ import annotations

import os
import sys
from typing import Any

__all__: list[str] = []

_API = "AWS_LAMBDA_RUNTIME_API"


def _run(handler: str) -> None:
    # Python put this script's folder first. The folder above has the one file needed from here.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would be imported for this one line
    from _lifeline import end_with_starter, kill_with_descendants  # type: ignore[import-not-found]  # noqa: PLC0415 - found on the path set just above

    mark = f"{_API}={os.environ[_API]}"
    leave = end_with_starter(lambda: kill_with_descendants(os.getpgid(0), mark))
    # Lambda puts the function's own folder first.
    sys.path[0] = os.getcwd()  # noqa: PTH109 - as above
    # The client has no type information.
    from awslambdaric import lambda_runtime_client  # type: ignore[import-untyped]  # noqa: PLC0415 - in the function's own process only
    from awslambdaric.__main__ import main  # type: ignore[import-untyped]  # noqa: PLC0415 - in the function's own process only

    _send_token(lambda_runtime_client.BaseLambdaRuntimeClient)
    try:
        main(["awslambdaric", handler])
    finally:
        leave()


def _send_token(client: Any) -> None:
    """Let the client's own HTTP requests, which report errors of an import, carry the token.

    Its compiled part takes an address with a path as it is.
    """
    plain = client.call_rapid

    def call_rapid(self: Any, method: str, endpoint: str, *rest: Any, **options: Any) -> Any:
        self.lambda_runtime_address, _, token = os.environ[_API].partition("/")
        return plain(self, method, f"/{token}{endpoint}", *rest, **options)

    client.call_rapid = call_rapid


if __name__ == "__main__":
    _run(sys.argv[1])
