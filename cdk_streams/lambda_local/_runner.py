"""Run a deployed function on this machine, in Lambda's own runtime client.

    with FunctionRunner(DeployedFunction(Path("cdk.out/asset.1f2e"), "audit.handler")) as run:
        answer = run.invoke({"Records": []})
        answer.payload  # {"batchItemFailures": []}

An environment starts cold on its first event and is used again. A changed file in the asset ends
the idle environments, so the next event runs the new code. Events that come at the same time get
an environment each, up to `concurrency`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cdk_streams.errors import StreamsError
from cdk_streams.lambda_local._environment import Environment, InvokeResponse
from cdk_streams.lambda_local._function import DeployedFunction, process_environment
from cdk_streams.lambda_local._interpreters import (
    Interpreter,
    describe,
    find_interpreter,
    link_runtime_packages,
)
from cdk_streams.lambda_local._logs import LogLine

__all__ = ["FunctionRunner"]

_LOOK_AT_SOURCE_S = 0.5
_Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Revision:
    """One state of a function's code, unpacked, and the environments' variables for it."""

    function: DeployedFunction
    fingerprint: _Fingerprint
    task_root: Path
    variables: Mapping[str, str]


class FunctionRunner:
    """Invokes one function; safe to call from several threads.

    `concurrency` is how many processes may run at a time; a function with a reserved concurrency
    throttles beyond that, any other waits. `connection` holds credentials and endpoints for the
    handler's own AWS calls; nothing is taken over from this process's environment. `python` names
    the interpreter; None finds one by the function's runtime. `on_log` gets each line as it comes,
    from any thread. Temporary files lie in `scratch` (None: the system's folder for them).
    """

    def __init__(
        self,
        function: DeployedFunction,
        *,
        concurrency: int = 10,
        connection: Mapping[str, str] | None = None,
        python: str | None = None,
        on_log: Callable[[LogLine], None] = lambda _: None,
        look_at_source_s: float = _LOOK_AT_SOURCE_S,
        scratch: Path | None = None,
    ) -> None:
        self._function = function
        self._connection = dict(connection or {})
        self._on_log = on_log
        self._look_at_source_s = look_at_source_s
        self._interpreter = describe(python) if python else find_interpreter(function.runtime)
        reserved = function.reserved_concurrency
        self._throttles = reserved is not None
        self._free = threading.Semaphore(concurrency if reserved is None else reserved)
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)
        self._closed = False
        self._idle: list[tuple[_Revision, Environment]] = []
        self._busy: set[Environment] = set()
        self._revision: _Revision | None = None
        self._looked_s = 0.0
        self._folder = Path(tempfile.mkdtemp(prefix="cdk-streams-function-", dir=scratch))
        self._runtime_root = self._folder / "runtime"
        link_runtime_packages(self._interpreter, self._runtime_root)

    @property
    def interpreter(self) -> Interpreter:
        """The Python that runs the function."""
        return self._interpreter

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def invoke(self, event: Any, request_id: str | None = None) -> InvokeResponse:
        """Run the handler on `event` and wait for its answer; an error is an answer too."""
        request_id = request_id or str(uuid.uuid4())
        if not self._free.acquire(blocking=not self._throttles):
            return InvokeResponse(request_id, throttled=True)
        try:
            return self._run(request_id, json.dumps(event, separators=(",", ":")).encode())
        finally:
            self._free.release()

    def use(self, function: DeployedFunction) -> None:
        """Run `function` from the next event on: a new deployment of the same function."""
        with self._lock:
            self._function = function
            self._revision = None

    def close(self) -> None:
        """End all processes and remove what they left.

        An invocation that is under way in another thread ends with a `Runtime.ExitError`.
        """
        with self._returned:
            self._closed = True
            idle, self._idle = self._idle, []
            for environment in self._busy:
                environment.kill()
            self._returned.wait_for(lambda: not self._busy)
        for _, environment in idle:
            environment.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, request_id: str, body: bytes) -> InvokeResponse:
        while True:
            revision, environment = self._take()
            try:
                answer = environment.invoke(request_id, body)
            except BaseException:
                environment.kill()
                raise
            finally:
                self._give_back(revision, environment)
            if answer is not None:
                return answer

    def _take(self) -> tuple[_Revision, Environment]:
        with self._lock:
            if self._closed:
                raise StreamsError(
                    f"the runner of {self._function.name} is closed; call it inside its with block"
                )
            revision = self._current()
            stale = [item for item in self._idle if item[0] is not revision]
            self._idle = [item for item in self._idle if item[0] is revision]
            environment = self._idle.pop()[1] if self._idle else self._start(revision)
            self._busy.add(environment)
        for _, old in stale:
            old.close()
        return revision, environment

    def _give_back(self, revision: _Revision, environment: Environment) -> None:
        if not environment.usable:
            environment.close()
        with self._returned:
            self._busy.remove(environment)
            if environment.usable:
                self._idle.append((revision, environment))
            self._returned.notify_all()

    def _start(self, revision: _Revision) -> Environment:
        return Environment(
            revision.function,
            python=self._interpreter.path,
            variables=revision.variables,
            task_root=revision.task_root,
            sink=self._on_log,
        )

    def _current(self) -> _Revision:
        """Return the newest code, looking at the files at most every `look_at_source_s`."""
        now = time.monotonic()
        if self._revision is not None and now - self._looked_s < self._look_at_source_s:
            return self._revision
        self._looked_s = now
        fingerprint = _fingerprint([self._function.asset, *self._function.layers])
        if self._revision is None or self._revision.fingerprint != fingerprint:
            self._revision = self._prepare(fingerprint)
        return self._revision

    def _prepare(self, fingerprint: _Fingerprint) -> _Revision:
        function = self._function
        folder = Path(tempfile.mkdtemp(prefix="revision-", dir=self._folder))
        scratch = folder / "tmp"
        scratch.mkdir()
        task_root = _unpacked(function.asset, folder / "task")
        layers = [_unpacked(at, folder / f"layer-{i}") for i, at in enumerate(function.layers)]
        variables = process_environment(
            function,
            self._interpreter,
            task_root=task_root,
            layer_roots=layers,
            runtime_root=self._runtime_root,
            scratch=scratch,
            connection=self._connection,
        )
        return _Revision(function, fingerprint, task_root, variables)


def _unpacked(source: Path, target: Path) -> Path:
    """Return the folder to run from: `source` itself, or `target` filled from the zip `source`."""
    if source.is_dir():
        return source.resolve()
    with zipfile.ZipFile(source) as archive:
        archive.extractall(target)
    return target


def _fingerprint(sources: list[Path]) -> _Fingerprint:
    """Return name, time and size of every file, which change when the code does."""
    files = [
        file
        for source in sources
        for file in ([source] if source.is_file() else source.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return tuple(
        (str(file), status.st_mtime_ns, status.st_size)
        for file in sorted(files)
        for status in [file.stat()]
    )
