"""The function's deadline: whether there is time to start another record.

A function that runs into its timeout is killed, and Lambda delivers the whole batch again, also
what was handled. So a batch ends itself before that.
https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Near = Callable[[], bool]
    Watch = Callable[[], Near]

__all__ = ["deadline"]

_LARGEST_RESERVE_MS = 5_000


def deadline(context: Any, reserve_ms: int | None, *, learns: bool) -> Watch | None:
    """Make watches of the time that is left; None when the context does not tell the time.

    A watch is for one thread, made when its first record is about to start and asked before each.
    It says True once less is left than the reserve and, when it learns, the slowest record so far
    together: the next one may take as long.

    Args:
        context: Lambda's context; None, or a stand-in without a clock, has no deadline.
        reserve_ms: What is to be left when the last record has ended. None means a tenth of what
            is left now, at most 5,000 ms. More than half of what is left now counts as that half,
            so that a short timeout still gets something done.
        learns: False when the batch counts as a whole: ending it early then gains nothing, and one
            slow record would end every try of it.
    """
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    at_start = None if remaining_ms is None else remaining_ms()
    if remaining_ms is None or not isinstance(at_start, int | float):
        return None
    if reserve_ms is None:
        reserve = min(at_start / 10, _LARGEST_RESERVE_MS)
    else:
        reserve = min(reserve_ms, at_start / 2)

    def watch() -> Near:
        before, needed = remaining_ms(), reserve

        def near() -> bool:
            nonlocal before, needed
            left = remaining_ms()
            if learns and before - left > needed - reserve:
                needed = reserve + before - left
            before = left
            return bool(left <= needed)

        return near

    return watch
