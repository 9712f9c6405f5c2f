"""What a simulation borrows of its process: environment variables, and the garbage collector."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final

from cdk_streams.mapping import PARTIAL_RESPONSE_VARIABLE

__all__ = ["ProcessState"]

_COLLECT_AFTER: Final = 50_000
_LOCK: Final = threading.RLock()


class ProcessState:
    """`with` it while handlers run; runs in other threads wait, and runs in handlers nest.

    `os.environ` belongs to the whole process, so it is lent to one run at a time. The garbage
    collector looks for cycles less often meanwhile: records and their copies hold none and go by
    reference counting. By default Python looks every 700 new containers, some 70 records, which
    was a quarter of a run's time. Both are put back at the end.
    """

    def __init__(self) -> None:
        self._variables: Mapping[str, str] | None = None
        self._before: dict[str, str | None] = {}
        self._threshold = gc.get_threshold()
        self._raised = False

    def __enter__(self) -> None:
        _LOCK.acquire()
        self._threshold = first, *others = gc.get_threshold()
        # A lower threshold collects at once when it is put back: not for each run within a run.
        self._raised = 0 < first < _COLLECT_AFTER
        if self._raised:
            gc.set_threshold(_COLLECT_AFTER, *others)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()
        if self._raised:
            gc.set_threshold(*self._threshold)
        _LOCK.release()

    def use(self, variables: Mapping[str, str]) -> None:
        """Let handlers find these variables, in place of those of the function before."""
        if variables is self._variables:
            return
        self._restore()
        # The partial-response switch must not leak in from outside: a function may have none.
        names = dict.fromkeys([PARTIAL_RESPONSE_VARIABLE, *variables])
        self._before = {name: os.environ.pop(name, None) for name in names}
        os.environ.update(variables)
        self._variables = variables

    def _restore(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before, self._variables = {}, None
