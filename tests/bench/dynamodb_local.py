"""Amazon's own DynamoDB Local, for a stream whose records and shards are the real ones.

    if (why_not := missing()) is None:
        with dynamodb_local(fetch(Path(".cache"))) as endpoint_url:
            boto3.client("dynamodbstreams", endpoint_url=endpoint_url, …)

The program is a Java archive that also comes inside an npm package, from which it is taken. It
listens on every interface and has no option for another, so LoopbackServer.java starts it: Java
runs that from its source, for which it needs the compiler of a JDK.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from cdk_streams import _lifeline
from cdk_streams._ports import free_port, wait_until
from cdk_streams.errors import ToolError

__all__ = ["PACKAGE", "dynamodb_local", "fetch", "missing", "roll_over"]

PACKAGE = "amplify-dynamodb-simulator@2.9.30"

_START_TIMEOUT_S = 60.0
_ARCHIVE = Path("package", "emulator", "DynamoDBLocal.jar")
_LAUNCHER = Path(__file__).with_name("LoopbackServer.java").resolve()
# One compiler tier halves the time to start, which is most of what a test spends here.
_JAVA = (
    "java",
    "-XX:TieredStopAtLevel=1",
    "-Djava.library.path=./DynamoDBLocal_lib",
    "-cp",
    "DynamoDBLocal.jar:DynamoDBLocal_lib/*",
    str(_LAUNCHER),
    "-inMemory",
    "-sharedDb",
    "-disableTelemetry",
    "-port",
)


def missing() -> str | None:
    """Return why DynamoDB Local cannot run on this machine; None when it can."""
    needed = {"java": "Java 17 or newer", "npm": "npm, which fetches it"}
    absent = [what for command, what in needed.items() if shutil.which(command) is None]
    if not absent and not _has_compiler():
        absent = ["the compiler of a JDK, not a Java runtime alone"]
    return f"DynamoDB Local needs {' and '.join(absent)}" if absent else None


def _has_compiler() -> bool:
    listed = subprocess.run(
        ["java", "--list-modules"],  # noqa: S607 - the java that is on the PATH is asked
        capture_output=True,
        text=True,
        check=False,
    )
    return "jdk.compiler@" in listed.stdout


def fetch(cache: Path) -> Path:
    """Return the folder with the program, taken from its npm package the first time."""
    folder = cache / PACKAGE.replace("@", "-")
    if not (folder / _ARCHIVE).exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as making:
            pack = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", making]
            done = subprocess.run(pack, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
            archives = list(Path(making).glob("*.tgz"))
            if done.returncode != 0 or not archives:
                raise ToolError(f"npm pack {PACKAGE} failed: {done.stderr.strip()}")
            with tarfile.open(archives[0]) as archive:
                # Python has filters of archives since 3.11.4.
                safe: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                archive.extractall(Path(making, "unpacked"), **safe)  # noqa: S202 - a pinned package, checked by npm
            with contextlib.suppress(FileExistsError, OSError):
                Path(making, "unpacked").rename(folder)
    if not (folder / _ARCHIVE).exists():
        raise ToolError(f"{PACKAGE} has no {_ARCHIVE}; its layout has changed")
    return (folder / _ARCHIVE).parent


@contextlib.contextmanager
def dynamodb_local(folder: Path) -> Iterator[str]:
    """Start DynamoDB Local on loopback, empty and in memory, and yield its endpoint."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - the words above and a number
            # Java does not notice that its starter is gone.
            [sys.executable, "-P", _lifeline.__file__, *_JAVA, str(port)],
            cwd=folder,
            # Its option against telemetry stands above; the program also reads this variable.
            env=os.environ | {"DDB_LOCAL_TELEMETRY": "0"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not wait_until(partial(_answers, port), process, _START_TIMEOUT_S):
                log.seek(0)
                last = log.read()[-2000:].decode("utf-8", "replace")
                raise ToolError(f"DynamoDB Local did not start; it printed last: {last}")
            yield f"http://127.0.0.1:{port}"
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


def roll_over(dynamodb: Any) -> None:
    """End every open shard and begin a child of each, as AWS does every few hours.

    `dynamodb` is a boto3 client of a program that `dynamodb_local` has started.
    """
    dynamodb.put_item(TableName="[TEST_CONTROL]", Item={"ACTION": {"S": "ROLLOVER"}})


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection), contextlib.suppress(http.client.HTTPException):
        connection.request("GET", "/")
        connection.getresponse().read()
        return True
    return False
