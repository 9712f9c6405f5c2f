"""A CDK app on this machine: a local AWS, deployed by the real cdk command, its consumers driven.

    with local_run(LocalApp(Path(".")), observer=observer) as run:
        run.outputs["Orders"]["OrdersTableName"]
        run.refresh()   # after the app's source has changed

The local AWS keeps tables, streams, queues and buckets. Its own poller of streams does not retry,
bisect or dead-letter as Lambda does, so each mapping is switched off there and driven from here.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cdk_streams.errors import DeploymentError
from cdk_streams.lambda_local import why_packages_fail_here
from cdk_streams.live import (
    CheckpointStore,
    DeployedConsumer,
    LiveSession,
    Observer,
    SynthesizedStack,
    drive,
    read_consumers,
    read_stacks,
)
from cdk_streams.local._cdk_command import CdkCommand, bootstrap, deploy, synthesize
from cdk_streams.local._local_aws import (
    LocalAws,
    LocalAwsError,
    client,
    environment,
    local_aws,
)

__all__ = ["LocalApp", "LocalRun", "Step", "connection_variables", "local_run"]


def _nothing(_line: str) -> None:
    pass


def _no_step(_step: Step) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the way to consumers that run; `took_s` is None when it begins."""

    what: str
    took_s: float | None = None


@dataclass(frozen=True, slots=True)
class LocalApp:
    """A CDK app to run: `folder` has its cdk.json, `cdk` starts the cdk command.

    `on_line` gets each line that the cdk command prints, `on_step` each step twice: when it begins
    and when it has ended. `time_scale` divides the waits before retries and the maximum record age
    of each mapping; `retries` is the most retries of a batch, None: as deployed.
    """

    folder: Path
    cdk: tuple[str, ...] = ("cdk",)
    region: str = "us-east-1"
    on_line: Callable[[str], None] = field(default=_nothing)
    on_step: Callable[[Step], None] = field(default=_no_step)
    time_scale: float = 1
    retries: int | None = None


class LocalRun:
    """A deployed app whose consumers are driven; made by `local_run`.

    `skipped` has a sentence for each consumer that cannot be run here, `warnings` one for each
    function whose compiled packages were made for another platform.
    """

    def __init__(
        self, app: LocalApp, aws: LocalAws, checkpoints: CheckpointStore, observer: Observer
    ) -> None:
        self.aws = aws
        self.outputs: Mapping[str, Mapping[str, str]] = {}
        self.consumers: tuple[DeployedConsumer, ...] = ()
        self.skipped: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self._app = app
        self._checkpoints = checkpoints
        self._observer = observer
        self._synthesized = 0
        self._stacks: tuple[SynthesizedStack, ...] = ()
        self._session: LiveSession | None = None
        self._drive_stack = contextlib.ExitStack()

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS."""
        return client(self.aws, service)

    def start(self) -> None:
        """Synthesize, deploy, and drive the consumers."""
        self._stacks = self._synthesize()
        with _step(self._app, "bootstrapping the local AWS"):
            bootstrap(self._cdk(), account=self.aws.account, region=self.aws.region)
        self._deploy()

    def check(self) -> None:
        """Raise the error that ended a consumer or the local AWS, if one did."""
        if not self.aws.is_running():
            raise LocalAwsError("the local AWS has ended; start the command again")
        if self._session is not None:
            self._session.check()

    def refresh(self) -> bool:
        """Take over the app's changed source; True when the stack itself had to be deployed.

        New code of a function is run by its next call. Anything else is
        deployed, and the consumers go on from their checkpoints.
        """
        stacks = self._synthesize()
        code_only = _without_code(stacks) == _without_code(self._stacks)
        self._stacks = stacks
        if code_only and self._session is not None:
            self.consumers = self._read()
            self._session.replace(self.consumers)
            self._update_code()
            return False
        self._deploy()
        return True

    def close(self) -> None:
        """Stop the consumers."""
        self._session = None
        self._drive_stack.close()

    def _synthesize(self) -> tuple[SynthesizedStack, ...]:
        # A folder of its own each time: what runs must not change while it is replaced.
        self._synthesized += 1
        assembly = self.aws.folder / f"cdk.out.{self._synthesized}"
        with _step(self._app, "synthesizing the app and bundling its functions"):
            return read_stacks(synthesize(self._cdk(), assembly))

    def _deploy(self) -> None:
        self.close()
        assembly = self.aws.folder / f"cdk.out.{self._synthesized}"
        with _step(self._app, "deploying the stacks"):
            self.outputs = deploy(self._cdk(), assembly)
        with _step(self._app, "starting the consumers"):
            self._drive()

    def _drive(self) -> None:
        self.consumers = self._read()
        lambda_api = self.client("lambda")
        for each in self.consumers:
            lambda_api.update_event_source_mapping(UUID=each.mapping.uuid, Enabled=False)
        self._session = self._drive_stack.enter_context(
            drive(
                [each for each in self.consumers if each.mapping.settings.enabled],
                self.client,
                checkpoints=self._checkpoints,
                observer=self._observer,
                # On this machine an error's message may be read with its type.
                connection={**connection_variables(self.aws), "STREAM_LOG_SHOW": "message"},
                # The local AWS removes its folder even when this process is killed.
                scratch=self.aws.folder,
            )
        )

    def _read(self) -> tuple[DeployedConsumer, ...]:
        skipped: list[str] = []
        consumers = tuple(
            _hastened(each, self._app)
            for stack in self._stacks
            for each in read_consumers(stack, self.client, on_skip=skipped.append)
        )
        if not consumers:
            why = "".join(f"\n{each}" for each in skipped)
            raise DeploymentError(
                f"the app in {self._app.folder} has no consumer of a DynamoDB stream that can be "
                f"run here{why}"
            )
        self.skipped = tuple(skipped)
        functions = {each.function.name: each.function for each in consumers}
        self.warnings = tuple(filter(None, map(why_packages_fail_here, functions.values())))
        return consumers

    def _update_code(self) -> None:
        """Give the local AWS the functions' code, for those who call them there, as a redrive."""
        lambda_api = self.client("lambda")
        functions = {each.function.name: each.function.asset for each in self.consumers}
        for name, asset in functions.items():
            lambda_api.update_function_code(FunctionName=name, ZipFile=zip_of(asset))

    def _cdk(self) -> CdkCommand:
        variables = environment(self.aws)
        # The cdk command may run the app with "python": this one, which has its packages.
        here = str(Path(sys.executable).parent)
        variables["PATH"] = os.pathsep.join([here, variables.get("PATH", os.defpath)])
        if not os.access(Path.home(), os.W_OK):
            variables.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(self.aws.folder / "jsii"))
        # The check of the template takes longer than all the rest of a synthesis.
        variables.setdefault("CDK_VALIDATION", "false")
        return CdkCommand(self._app.folder, variables, self._app.cdk, self._app.on_line)


@contextlib.contextmanager
def local_run(app: LocalApp, *, observer: Observer) -> Iterator[LocalRun]:
    """Run an app locally until the block is left; nothing of it stays behind.

    Starts a local AWS, deploys the app to it and drives its consumers, each in turn as a step of
    `app.on_step`.

    Raises:
        LocalAwsError: The local AWS could not be started.
        CdkCommandError: The cdk command is missing, or a synthesis or deployment failed.
        DeploymentError: The app has no consumer that can be run here.

    """
    with contextlib.ExitStack() as stack:
        with _step(app, "starting the local AWS"):
            aws = stack.enter_context(local_aws(region=app.region))
        checkpoints = stack.enter_context(CheckpointStore(aws.folder / "checkpoints"))
        run = stack.enter_context(contextlib.closing(LocalRun(app, aws, checkpoints, observer)))
        run.start()
        yield run


@contextlib.contextmanager
def _step(app: LocalApp, what: str) -> Iterator[None]:
    app.on_step(Step(what))
    began = time.monotonic()
    yield
    app.on_step(Step(what, time.monotonic() - began))


def _hastened(consumer: DeployedConsumer, app: LocalApp) -> DeployedConsumer:
    """Return a consumer whose retries take less time, or are fewer, as the app asks for."""
    mapping = replace(consumer.mapping, time_scale=app.time_scale)
    own = mapping.settings.retry_attempts
    if app.retries is not None and (own < 0 or own > app.retries):
        mapping = replace(mapping, settings=replace(mapping.settings, retry_attempts=app.retries))
    return replace(consumer, mapping=mapping)


def connection_variables(aws: LocalAws) -> dict[str, str]:
    """Return the variables that make the AWS CLI and boto3 use the local AWS, and no other.

    They all begin with `AWS_`: endpoint, Region and made-up credentials.
    """
    variables = environment(aws, {})
    return {name: value for name, value in variables.items() if name.startswith("AWS_")}


def zip_of(asset: Path) -> bytes:
    """Return a staged asset as the zip file that Lambda takes."""
    if asset.is_file():
        return asset.read_bytes()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(asset.rglob("*")):
            archive.write(path, path.relative_to(asset))
    return made.getvalue()


def _without_code(stacks: tuple[SynthesizedStack, ...]) -> Any:
    """Return the stacks without what names the staged code of functions."""
    return [
        (
            stack.name,
            {
                name: {
                    **resource,
                    "Metadata": None,
                    "Properties": {**resource.get("Properties", {}), "Code": None},
                }
                if resource["Type"] == "AWS::Lambda::Function"
                else resource
                for name, resource in stack.template.get("Resources", {}).items()
            },
        )
        for stack in stacks
    ]
