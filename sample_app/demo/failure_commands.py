"""What the user of a deployed stack runs about a failure record: shown, then redriven."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from cdk_streams.errors import DeploymentError
from cdk_streams.local import LocalAws, environment

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["say", "show_failures"]

_STACK = ["--stack", "Orders"]


def show_failures(console: Console, aws: LocalAws) -> str:
    """Run `cdk-streams failures show` for all there are; return the command that redrives them."""
    listed = json.loads(_run(aws, ["failures", "list", *_STACK, "--json"]))["failures"]
    for each in listed:
        show = ["failures", "show", each["id"], *_STACK]
        say(console, f"  $ cdk-streams {' '.join(show)}")
        for line in _run(aws, show).splitlines():
            say(console, f"    {line}")
    only = " ".join(f"--only {each['id']}" for each in listed)
    return f"cdk-streams redrive {' '.join(_STACK)} {only}"


def say(console: Console, text: str) -> None:
    """Print a line as it is."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _run(aws: LocalAws, words: list[str]) -> str:
    """Return what `cdk-streams` prints; its exit code 1 only says that it found something."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "cdk_streams", *words],
        env=environment(aws),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        raise DeploymentError(f"cdk-streams {' '.join(words)} failed: {done.stderr.strip()}")
    return done.stdout
