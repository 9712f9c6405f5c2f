"""A local AWS for one run: ministack on loopback and a free port, gone with the `with` block.

    with local_aws() as aws:
        client(aws, "dynamodb").list_tables()

Nothing of the user's own AWS set-up is read or written: no profile, no credentials file, no cache
of the cdk command. Whatever ministack leaves on disk lies in one folder, which goes with it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cdk_streams._extras import install_sentence
from cdk_streams._ports import free_port, wait_until
from cdk_streams._signals import ignore_signals
from cdk_streams.errors import ToolError
from cdk_streams.local import _local_aws_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["LocalAws", "LocalAwsError", "client", "environment", "local_aws"]

_SECRET = "local"  # noqa: S105 - ministack takes any
_START_TIMEOUT_S = 30.0
_STARTS = 3
_NOT_OURS = ("AWS_", "BOTO_", "CDK_", "MINISTACK_", "LAMBDA_", "LOCALSTACK_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class LocalAwsError(ToolError):
    """The local AWS could not be started; the message ends with what it printed last."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Where the local AWS listens and with what identity it is used.

    Attributes:
        endpoint_url: `http://127.0.0.1:40561`, for every service.
        folder: Holds its log, the functions it runs and the caches of the cdk command.
        access_key_id: New for each local AWS: the cdk command caches the account of a key.
        is_running: Tells whether its process runs.
    """

    endpoint_url: str
    folder: Path
    region: str = "us-east-1"
    account: str = "000000000000"
    access_key_id: str = field(default_factory=lambda: f"LOCAL{uuid4().hex[:15].upper()}")
    is_running: Callable[[], bool] = field(default=lambda: True, repr=False, compare=False)

    @property
    def log(self) -> Path:
        """What ministack prints."""
        return self.folder / "ministack.log"


def environment(aws: LocalAws, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment of a process that sees the local AWS and no other.

    `base` (None: this process's own) without what would name another account, endpoint or profile.
    """
    kept = {
        name: value
        for name, value in (os.environ if base is None else base).items()
        if not name.startswith(_NOT_OURS) and name.lower() not in _PROXIES
    }
    nowhere = str(aws.folder / "no-such-file")
    return kept | {
        "AWS_ACCESS_KEY_ID": aws.access_key_id,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": str(aws.folder),
        "CDK_HOME": str(aws.folder / "cdk-home"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }


def client(aws: LocalAws, service: str) -> Any:
    """A boto3 client of the local AWS, whatever profile or endpoint this machine is set to.

    A request is repeated once only: what does not answer on loopback is not there any more.
    """
    import boto3  # noqa: PLC0415 - starting a local AWS does not need it
    from botocore.config import Config  # noqa: PLC0415 - the same
    from botocore.session import Session  # noqa: PLC0415 - the same

    # AWS_PROFILE may name a profile that is in none of the files, which are not read here.
    core = Session(session_vars={"profile": (None, None, None, None)})
    core.set_config_variable("config_file", os.devnull)
    core.set_config_variable("credentials_file", os.devnull)
    session: Any = boto3.Session(
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=_SECRET,
        region_name=aws.region,
        botocore_session=core,
    )
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    return session.client(service, endpoint_url=aws.endpoint_url, config=config)


@contextlib.contextmanager
def local_aws(*, region: str = "us-east-1") -> Iterator[LocalAws]:
    """Start a local AWS, wait until it answers, and stop it when the block is left in any way.

    `region` is that of its endpoint and of the clients that `client` makes.

    Raises:
        LocalAwsError: MiniStack is not installed, or it does not answer in time.

    """
    if find_spec("ministack") is None:
        raise LocalAwsError(install_sentence("the local AWS", "ministack"))
    for start in range(_STARTS):
        folder = Path(tempfile.mkdtemp(prefix="cdk-streams-"))
        aws = LocalAws(f"http://127.0.0.1:{free_port()}", folder, region)
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            process = _start(aws)
            stack.callback(_stop, process)
            # It ends when its port was taken by another process meanwhile.
            if wait_until(partial(_answers, aws), process, _START_TIMEOUT_S):
                yield replace(aws, is_running=partial(_is_running, process))
                return
            if process.poll() is None or start == _STARTS - 1:
                raise LocalAwsError(_why(aws, process))


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def _start(aws: LocalAws) -> subprocess.Popen[bytes]:
    host, port = aws.endpoint_url.removeprefix("http://").split(":")
    variables = environment(aws) | {
        "BIND_HOST": host,
        "GATEWAY_PORT": port,
        "MINISTACK_ACCOUNT_ID": aws.account,
        "MINISTACK_EDITION": aws.access_key_id,
        "MINISTACK_REGION": aws.region,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": str(aws.folder / "s3"),
        "STATE_DIR": str(aws.folder / "state"),
    }
    # A group of its own: Ctrl-C in the terminal reaches the caller, which stops it in order.
    with aws.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - this Python and a file of this package
            [sys.executable, "-P", _local_aws_process.__file__, str(aws.folder)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _answers(aws: LocalAws) -> bool:
    """Tell whether it is the one started here that answers, and not another on its port."""
    with contextlib.suppress(ValueError, http.client.HTTPException):
        return bool(_health(aws).get("edition") == aws.access_key_id)
    return False


def _health(aws: LocalAws) -> dict[str, Any]:
    connection = http.client.HTTPConnection(aws.endpoint_url.removeprefix("http://"), timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/_ministack/health")
        health: dict[str, Any] = json.load(connection.getresponse())
        return health


def _why(aws: LocalAws, process: subprocess.Popen[bytes]) -> str:
    code = process.poll()
    what = f"does not answer after {_START_TIMEOUT_S:g} s" if code is None else f"ended with {code}"
    last = aws.log.read_text(errors="replace").strip().splitlines()[-10:]
    message = f"the local AWS (ministack at {aws.endpoint_url}) {what}; it printed last:"
    return "\n".join([message, *last])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process and the function workers in its group, whatever state they are in."""
    with ignore_signals():
        if process.stdin:
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_local_aws_process.GRACE_S + 2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
