"""`make conformance`: say what a run takes; with `--yes` deploy, ask, record, and remove it all.

python -m conformance.run --profile NAME --region NAME [--only SCENARIO]... [--yes]
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk_streams.errors import StreamsError
from cdk_streams.local import CdkCommand, deploy, destroy, exit_on_signals, synthesize
from conformance.compare import RECORDINGS
from conformance.observe import Deployed, Pace, Poller, observe
from conformance.plan import METRICS_S, START_S, plan_of
from conformance.question import STACK, Question
from conformance.questions import QUESTIONS
from conformance.recording import save

__all__ = ["Stopped", "main", "record_all", "refuse_leftovers", "stack"]

_ROOT: Final = Path(__file__).parents[1]
_SERVICES: Final = (
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "lambda",
    "logs",
    "sqs",
)


class Stopped(Exception):  # noqa: N818 - it is no error: the run was interrupted
    """Ends the scenarios under way when the run is interrupted."""


@dataclass(frozen=True, slots=True)
class _Asked:
    profile: str | None
    region: str
    only: Sequence[str]
    yes: bool
    folder: Path
    start_s: float
    quiet_s: float | None
    metrics_s: float
    where: str | None


def main(arguments: Sequence[str], say: Callable[[str], None] = print) -> int:
    """Print the plan; with `--yes` carry it out.

    Returns 1 when a scenario was not recorded, 2 when the run could not begin or the removal
    failed.
    """
    asked = _parse(arguments)
    questions = [each for each in QUESTIONS if not asked.only or each.name in asked.only]
    say(plan_of(questions).text())
    if not asked.yes:
        say("Nothing was made. Add --yes (make conformance YES=--yes) to do it.")
        return 0
    try:
        faults = _carried_out(asked, questions, say)
    except (StreamsError, BotoCoreError, ClientError) as error:
        say(f"{type(error).__name__}: {error}")
        return 2
    for fault in faults:
        say(fault)
    return 1 if faults else 0


def _carried_out(
    asked: _Asked, questions: Sequence[Question], say: Callable[[str], None]
) -> list[str]:
    variables = dict(os.environ) | {"AWS_REGION": asked.region, "AWS_DEFAULT_REGION": asked.region}
    if asked.profile:
        variables["AWS_PROFILE"] = asked.profile
    session = boto3.Session(profile_name=asked.profile, region_name=asked.region)
    # Clients are made here, because a session belongs to one thread.
    clients: dict[str, Any] = {each: session.client(each) for each in _SERVICES}
    versions = {each: version(each) for each in ("cdk-streams", "aws-cdk-lib", "boto3")}
    poller = Poller(clients.__getitem__, asked.where or f"AWS {asked.region}", versions)
    refuse_leftovers(clients["cloudformation"], variables)
    command = CdkCommand(_ROOT, variables, on_line=say, timeout_s=1_800)
    with exit_on_signals(), stack(command, questions) as outputs:
        return record_all(
            questions,
            outputs,
            poller,
            asked.folder,
            (asked.start_s, asked.quiet_s, asked.metrics_s),
        )


@contextmanager
def stack(command: CdkCommand, questions: Sequence[Question]) -> Iterator[dict[str, str]]:
    """Deploy the questions' stack and yield its outputs; remove it whatever happens.

    A deployment that fails or is interrupted half-way is removed too. A signal during the removal
    is ignored.
    """
    names = " ".join(each.name for each in questions)
    with tempfile.TemporaryDirectory(prefix="cdk-streams-conformance-") as folder:
        app = f'"{sys.executable}" -m conformance.app {names}'
        assembly = synthesize(command, Path(folder, "assembly"), "--app", app)
        try:
            yield deploy(command, assembly)[STACK]
        finally:
            _ignore_signals()
            _remove(command, assembly)


def _remove(command: CdkCommand, assembly: Path) -> None:
    try:
        destroy(command, assembly)
    except StreamsError as error:
        raise StreamsError(
            f"the stack {STACK} was not removed: {error}; remove it with: "
            f"{_removal(command.variables)}"
        ) from error


def _removal(variables: Mapping[str, str]) -> str:
    """Return the command that removes what a run left."""
    options = {"--profile": variables.get("AWS_PROFILE"), "--region": variables.get("AWS_REGION")}
    chosen = [word for name, value in options.items() if value for word in (name, value)]
    words = ["aws", "cloudformation", "delete-stack", "--stack-name", STACK, *chosen]
    return shlex.join(words)


def refuse_leftovers(cloudformation: Any, variables: Mapping[str, str]) -> None:
    """Refuse to run beside the stack of another run: its records would be read again.

    Raises:
        StreamsError: The stack exists.

    """
    try:
        (found,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return
        raise
    raise StreamsError(
        f"the account must have no stack {STACK}, got one that is {found['StackStatus']}: "
        f"another run is under way, or one left it; remove it with: {_removal(variables)}"
    )


def _ignore_signals() -> None:
    """Let the removal end; who entered `exit_on_signals` sets the handlers back."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def record_all(
    questions: Sequence[Question],
    outputs: dict[str, str],
    poller: Poller,
    folder: Path,
    pace: tuple[float, float | None, float],
) -> list[str]:
    """Put all questions at the same time and keep each recording as it ends.

    `pace`: the seconds that a mapping is given to begin, the quiet seconds (None: each question's
    own), and those that CloudWatch is given.

    Returns a sentence for each question that could not be recorded.
    """
    stop = threading.Event()

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    def one(question: Question) -> None:
        deployed = Deployed.of(outputs, question.construct_id)
        save(observe(question, deployed, poller, Pace(wait, *pace)), folder)

    with ThreadPoolExecutor(max_workers=len(questions)) as threads:
        under_way = {threads.submit(one, each): each for each in questions}
        try:
            return [
                f"{under_way[done].name} was not recorded: {error}"
                for done in as_completed(under_way)
                if (error := done.exception()) is not None
            ]
        finally:
            stop.set()


def _parse(arguments: Sequence[str]) -> _Asked:
    parser = argparse.ArgumentParser(prog="make conformance", description="Ask AWS itself.")
    parser.add_argument("--profile", help="the AWS profile; left out, that of the environment")
    parser.add_argument(
        "--region", required=True, help="such as us-east-1; it must be bootstrapped"
    )
    names = [each.name for each in QUESTIONS]
    parser.add_argument("--only", action="append", default=[], choices=names, metavar="SCENARIO")
    parser.add_argument("--yes", action="store_true", help="carry the plan out")
    parser.add_argument("--folder", type=Path, help="where recordings are kept")
    parser.add_argument("--start-s", type=float, default=START_S, help="until a mapping polls")
    parser.add_argument("--quiet-s", type=float, help="replaces each scenario's own quiet time")
    parser.add_argument(
        "--metrics-s", type=float, default=METRICS_S, help="until metrics are collected"
    )
    parser.add_argument("--where", help="what is recorded, when it is not AWS")
    found = parser.parse_args(arguments)
    found.folder = found.folder or RECORDINGS / found.region
    return _Asked(**vars(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
