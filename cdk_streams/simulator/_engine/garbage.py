"""The garbage collector during a run: it looks for cycles less often."""

from __future__ import annotations

import gc
import threading
from types import TracebackType
from typing import Final

__all__ = ["COLLECT_SELDOM"]

_COLLECT_AFTER: Final = 50_000


class _CollectSeldom:
    """Lets cyclic garbage wait a little while any run is under way, in whichever thread.

    Records and their copies hold no cycles and go by reference counting. By default Python looks
    for cycles every 700 new containers, some 70 records, which was a quarter of a run's time. The
    threshold is the process's own: the first run raises it, the last one puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._before = gc.get_threshold()

    def __enter__(self) -> None:
        with self._lock:
            self._runs += 1
            if self._runs == 1:
                self._before = first, *others = gc.get_threshold()
                gc.set_threshold(max(first, _COLLECT_AFTER) if first else 0, *others)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0:
                gc.set_threshold(*self._before)


COLLECT_SELDOM: Final = _CollectSeldom()
"""`with COLLECT_SELDOM:` around a run; runs may overlap and nest."""
