"""One execution environment: a function's process, started once and invoked one event at a time.

What Lambda enforces from outside is enforced here: the timeout, the memory, and an error for a
process that ends. On Linux the memory is the peak of the process's resident pages, looked at every
20 ms and after each answer; elsewhere there is no memory limit.
"""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from typing import Any, Literal

from cdk_streams._lifeline import kill_with_descendants
from cdk_streams.lambda_local._function import DeployedFunction
from cdk_streams.lambda_local._logs import LogLine, LogPipe
from cdk_streams.lambda_local._runtime_api import (
    Exited,
    Failed,
    InitFailed,
    Invocation,
    Ready,
    Reply,
    Responded,
    RuntimeApi,
)

__all__ = ["INIT_LIMIT_S", "Environment", "InvokeResponse"]

# Lambda lets the import of a handler take 10 s before it counts against the function's timeout.
# Lambda then starts the import again; here the same import continues.
INIT_LIMIT_S = 10.0

_LOOK_AT_MEMORY_S = 0.02
_GRACE_S = 5.0
_TASK_ROOT = "/var/task"
_PROCESS = Path(__file__).with_name("_bootstrap.py")


@dataclass(frozen=True, slots=True)
class InvokeResponse:
    """The response of an invocation, as the Lambda API returns it.

    `body` is the JSON that the function answered, or the error's
    `{"errorMessage": …, "errorType": …}`; `function_error` is None or `Unhandled`; `error_type` is
    the exception's name, or `Sandbox.Timedout`, `Runtime.ExitError`, `Runtime.OutOfMemory`.
    `duration_s` is the handler's time, `init_s` the import's (0 when the process was warm).
    A `throttled` invocation never reached the function.
    """

    request_id: str
    body: bytes = b""
    function_error: str | None = None
    error_type: str | None = None
    logs: tuple[str, ...] = ()
    duration_s: float = 0.0
    init_s: float = 0.0
    throttled: bool = False

    @property
    def payload(self) -> Any:
        """The body as a value; a body that is no JSON as text."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace")


_Ending = Literal["timed out", "out of memory"]


class Environment:
    """A started process. `invoke` until `usable` is False, then `close` it."""

    def __init__(
        self,
        function: DeployedFunction,
        *,
        python: str,
        variables: Mapping[str, str],
        task_root: Path,
        sink: Callable[[LogLine], None],
    ) -> None:
        self.usable = True
        self._function = function
        self._warm = False
        self._killed = False
        self._started_s = time.monotonic()
        self._api = RuntimeApi()
        self._process = subprocess.Popen(  # noqa: S603 - the deployed function is what is run
            [python, "-S", str(_PROCESS), function.handler],
            cwd=task_root,
            env={**variables, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C goes to the driver, which finishes what runs; and what the function starts
            # itself can be ended with it.
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - asked for three lines above
        self._task_root = str(task_root)
        self._logs = LogPipe(
            self._process.stdout.fileno(),
            function.name,
            lambda line: sink(replace(line, text=self._as_on_lambda(line.text))),
        )
        self._watch = threading.Thread(target=self._report_exit, name="function-exit", daemon=True)
        self._watch.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def invoke(self, request_id: str, body: bytes) -> InvokeResponse | None:
        """Run one event; None when the process had ended by itself since its last answer."""
        self._logs.begin(request_id if self._warm else "")
        reply = self._wait_until_ready()
        init_s = 0.0 if self._warm else time.monotonic() - self._started_s
        if isinstance(reply, Exited) and self._warm:
            self.usable = False
            return None
        began_s = time.monotonic()
        if isinstance(reply, Ready):
            self._warm = True
            self._logs.begin(request_id)
            reply = self._run(request_id, body)
        return self._answer(request_id, reply, time.monotonic() - began_s, init_s)

    def close(self) -> None:
        """End the process and everything it started, and free its port."""
        self.kill()
        self._watch.join(_GRACE_S)
        self._logs.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._api.close()

    def _wait_until_ready(self) -> Reply | _Ending:
        allowed_s = self._function.timeout_s if self._warm else self._init_limit_s
        return self._next_reply(time.monotonic() + allowed_s)

    @property
    def _init_limit_s(self) -> float:
        return INIT_LIMIT_S + self._function.timeout_s

    def _run(self, request_id: str, body: bytes) -> Reply | _Ending:
        timeout_s = self._function.timeout_s
        until = time.monotonic() + timeout_s
        deadline_ms = int((time.time() + timeout_s) * 1000)
        self._api.offer(Invocation(request_id, body, deadline_ms, self._function.invoked_arn))
        reply = self._next_reply(until)
        return "out of memory" if self._over_memory() else reply

    def _next_reply(self, until: float) -> Reply | _Ending:
        while True:
            wait_s = max(0.0, min(until - time.monotonic(), _LOOK_AT_MEMORY_S))
            try:
                return self._api.replies.get(timeout=wait_s)
            except Empty:
                if self._over_memory():
                    return "out of memory"
                if time.monotonic() >= until:
                    return "timed out"

    def _over_memory(self) -> bool:
        peak_kib = _peak_memory_kib(self._process.pid)
        return peak_kib is not None and peak_kib > self._function.memory_mb * 1024

    def _answer(
        self, request_id: str, reply: Reply | _Ending, duration_s: float, init_s: float
    ) -> InvokeResponse:
        error: tuple[str | None, bytes] = (None, b"")
        match reply:
            case Responded(_, body):
                pass
            case Failed(_, body):
                error = (_error_type(body), body)
                body = self._as_on_lambda(body.decode("utf-8", "replace")).encode()
            case InitFailed(body):
                error = (_error_type(body), body)
                body = self._as_on_lambda(body.decode("utf-8", "replace")).encode()
                self.kill()
            case _:
                self.kill()
                error = _ended(request_id, reply, self._function.timeout_s)
                body = error[1]
        return InvokeResponse(
            request_id,
            body,
            function_error=None if isinstance(reply, Responded) else "Unhandled",
            error_type=error[0],
            logs=tuple(map(self._as_on_lambda, self._logs.finish())),
            duration_s=duration_s,
            init_s=init_s,
        )

    def _as_on_lambda(self, text: str) -> str:
        """Return text with the paths that it would have on Lambda, where the code is in one place.

        A staged asset lies in a folder with a long name of its own.
        """
        return text.replace(self._task_root, _TASK_ROOT)

    def kill(self) -> None:
        """End the process; an invocation under way comes back with an error."""
        self.usable = False
        # Once only: afterwards the id of the process group may be another's.
        if not self._killed:
            self._killed = True
            kill_with_descendants(self._process.pid, f"AWS_LAMBDA_RUNTIME_API={self._api.address}")

    def _report_exit(self) -> None:
        self._api.replies.put(Exited(self._process.wait()))


def _ended(request_id: str, reply: Reply | _Ending, timeout_s: float) -> tuple[str, bytes]:
    """Return the error type and body for an invocation that Lambda ended, in Lambda's words."""
    killed = "Runtime exited with error: signal: killed"
    match reply:
        case "timed out":
            kind, reason = "Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds"
        case "out of memory":
            kind, reason = "Runtime.OutOfMemory", killed
        case Exited(0):
            kind, reason = "Runtime.ExitError", "Runtime exited without providing a reason"
        case Exited(code) if code > 0:
            reason = f"Runtime exited with error: exit status {code}"
            kind = "Runtime.ExitError"
        case Exited(code):
            name = signal.Signals(-code).name.removeprefix("SIG").lower()
            reason = killed if name == "kill" else f"Runtime exited with error: signal: {name}"
            kind = "Runtime.ExitError"
        case _:
            kind, reason = "Runtime.Unknown", f"The runtime sent {reply!r} out of turn"
    message = f"RequestId: {request_id} Error: {reason}"
    return kind, json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _error_type(body: bytes) -> str:
    try:
        return str(json.loads(body)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"


def _peak_memory_kib(pid: int) -> int | None:
    """Return the most resident memory the process ever had; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return None  # a process that has ended, and is only waited for, has no memory
