"""Run the real cdk command: synthesize, bootstrap, deploy and destroy, against any endpoint.

cdk = CdkCommand(Path("."), environment(aws))
assembly = synthesize(cdk, Path("cdk.out"))
bootstrap(cdk, account=aws.account, region=aws.region)
outputs = deploy(cdk, assembly)  # {"OrdersStack": {"TableName": "OrdersStack-Orders-1X2Y"}}
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cdk_streams._signals import ignore_signals
from cdk_streams.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "CdkCommand",
    "CdkCommandError",
    "bootstrap",
    "deploy",
    "destroy",
    "run_cdk",
    "synthesize",
]

_LINES_IN_AN_ERROR = 25
_QUIET = ("--no-color", "--no-notices", "--no-version-reporting")


class CdkCommandError(ToolError):
    """The cdk command is missing, failed or took too long; the message has its last lines."""


def _nothing(_line: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class CdkCommand:
    """How the cdk command is run.

    Attributes:
        folder: Where it runs: the folder with cdk.json, for an app.
        variables: Its whole environment; `PATH` leads to it, unless `argv` does.
        argv: What starts it, such as `("node", "node_modules/aws-cdk/bin/cdk")`.
        on_line: Gets each line it prints, as it comes.
        timeout_s: Seconds one run may take; it is then ended and an error raised.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    argv: tuple[str, ...] = ("cdk",)
    on_line: Callable[[str], None] = _nothing
    timeout_s: float = 600.0


def synthesize(cdk: CdkCommand, assembly: Path, *arguments: str) -> Path:
    """Run the app of cdk.json and leave its cloud assembly in the folder `assembly`; return it.

    `arguments` are further ones of `cdk synth`.

    Raises:
        CdkCommandError: The cdk command is missing, or the app failed.

    """
    run_cdk(cdk, "synth", "--quiet", "--output", str(assembly), *arguments)
    return assembly


def bootstrap(cdk: CdkCommand, *, account: str, region: str) -> None:
    """Create what a deployment needs in an account, once; does nothing when it is there.

    Runs in an empty folder: with a cdk.json the command would run its app first, for nothing.
    """
    with _temporary_folder(cdk) as empty:
        elsewhere = CdkCommand(Path(empty), cdk.variables, cdk.argv, cdk.on_line, cdk.timeout_s)
        run_cdk(elsewhere, "bootstrap", f"aws://{account}/{region}")


def deploy(cdk: CdkCommand, assembly: Path, *stacks: str) -> dict[str, dict[str, str]]:
    """Deploy an assembly's stacks, all when none is named; return their outputs.

    `{"Shop": {"OrdersTable": "shop-orders-1A2B"}}`: by the stack's name and the output's id.

    Raises:
        CdkCommandError: The cdk command is missing, or a stack was rolled back.

    """
    with _temporary_folder(cdk) as folder:
        outputs = Path(folder, "outputs.json")
        answers = ("--require-approval", "never", "--outputs-file", str(outputs))
        run_cdk(cdk, "deploy", "--app", str(assembly), *answers, *(stacks or ("--all",)))
        # A stack without outputs leaves no file.
        text = outputs.read_text() if outputs.exists() else "{}"
    return cast("dict[str, dict[str, str]]", json.loads(text))


def destroy(cdk: CdkCommand, assembly: Path, *stacks: str) -> None:
    """Delete an assembly's stacks, all when none is named, without asking.

    Raises:
        CdkCommandError: The cdk command is missing, or a stack could not be deleted.

    """
    run_cdk(cdk, "destroy", "--app", str(assembly), "--force", *(stacks or ("--all",)))


def run_cdk(cdk: CdkCommand, *arguments: str) -> None:
    """Run one subcommand to its end; it ends with the caller when that is interrupted.

    `arguments` are the words after `cdk`, such as `"synth", "--quiet"`.

    Raises:
        CdkCommandError: The command is not found, fails, or takes longer than `cdk.timeout_s`.

    """
    shown = f"cdk {' '.join(arguments)}"
    last: deque[str] = deque(maxlen=_LINES_IN_AN_ERROR)
    with _running(cdk, [*_found(cdk), *arguments, *_QUIET]) as process:
        late = threading.Event()
        limit = threading.Timer(cdk.timeout_s, _end_late, (process, late))
        limit.daemon = True
        limit.start()
        try:
            for line in process.stdout or ():
                last.append(line.rstrip())
                cdk.on_line(last[-1])
            code = process.wait()
        finally:
            limit.cancel()
    if late.is_set():
        raise CdkCommandError(_message(f"{shown} did not end within {cdk.timeout_s:g} s", last))
    if code and (fault := _disk_fault(last)):
        folder = cdk.variables.get("TMPDIR", tempfile.gettempdir())
        raise CdkCommandError(
            f"{shown} ended with {code}: {fault}; its files go below {folder} and the home folder"
        )
    if code:
        raise CdkCommandError(_message(f"{shown} ended with {code}", last))


def _temporary_folder(cdk: CdkCommand) -> tempfile.TemporaryDirectory[str]:
    """Return a folder below the command's own, which a local AWS removes even after `kill -9`."""
    return tempfile.TemporaryDirectory(prefix="cdk-streams-", dir=cdk.variables.get("TMPDIR"))


def _found(cdk: CdkCommand) -> list[str]:
    program = shutil.which(cdk.argv[0], path=cdk.variables.get("PATH"))
    if program is None:
        raise CdkCommandError(
            f"the cdk command {cdk.argv[0]!r} is not on the PATH; "
            "install it (npm install --global aws-cdk@2) or name another with --cdk"
        )
    return [program, *cdk.argv[1:]]


def _disk_fault(lines: deque[str]) -> str:
    """Return what the lines say of the disk: it is full, or cannot be written; "" for nothing."""
    text = "\n".join(lines)
    for number, name in ((errno.ENOSPC, "ENOSPC"), (errno.EROFS, "EROFS")):
        if name in text or os.strerror(number) in text:
            return os.strerror(number)
    return ""


def _message(what: str, lines: deque[str]) -> str:
    return "\n".join([f"{what}; it printed last:", *lines])


@contextlib.contextmanager
def _running(cdk: CdkCommand, command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The command in a group of its own, so that its app and its Node end with it."""
    process = subprocess.Popen(  # noqa: S603 - the command the caller named
        command,
        cwd=cdk.folder,
        env=dict(cdk.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with ignore_signals():
            _end(process)
            if process.stdout:
                process.stdout.close()


def _end_late(process: subprocess.Popen[str], late: threading.Event) -> None:
    late.set()
    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End the whole group: asked first, then made to. Nothing happens when it has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2)
