from __future__ import annotations

import contextlib
import io

from rich.console import Console

from cdk_streams.cli._local.step_lines import StepLines
from cdk_streams.local import Step


def shown(*, is_terminal: bool, is_closed: bool = False) -> str:
    file = io.StringIO()
    steps = StepLines(Console(file=file, force_terminal=is_terminal, width=80, color_system=None))
    with contextlib.closing(steps):
        if is_closed:
            steps.close()
        steps.take(Step("deploying [the] stacks"))
        steps.take(Step("deploying [the] stacks", 12.34))
    return file.getvalue()


def test_a_step_that_has_ended_is_a_line_with_its_seconds() -> None:
    assert shown(is_terminal=False) == "  12.3 s  deploying [the] stacks\n"


def test_a_terminal_shows_the_step_under_way_too() -> None:
    assert "deploying [the] stacks …" in shown(is_terminal=True)
    assert "deploying [the] stacks …" not in shown(is_terminal=True, is_closed=True)
