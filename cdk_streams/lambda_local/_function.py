"""A function as it was deployed, as a value, and the environment its process gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cdk_streams.arns import Arn
from cdk_streams.lambda_local._interpreters import Interpreter
from cdk_streams.mapping import LAMBDA_DEFAULT_MEMORY_MB, LAMBDA_DEFAULT_TIMEOUT

__all__ = ["DeployedFunction", "process_environment"]

_NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """What Lambda knows about a function; the defaults are Lambda's own.

    `asset` is the folder or zip file that was deployed, `layers` the same for each layer in the
    order of the template. `timeout_s` is 1 to 900, `memory_mb` 128 to 10,240. `runtime` such as
    `python3.13` chooses the interpreter; None takes the running one. `reserved_concurrency` None
    means that there is no limit of its own, 0 that every invocation is throttled.
    """

    asset: Path
    handler: str
    name: str = "function"
    arn: str = ""
    runtime: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: _NO_VARIABLES)
    layers: Sequence[Path] = ()
    timeout_s: float = LAMBDA_DEFAULT_TIMEOUT.total_seconds()
    memory_mb: int = LAMBDA_DEFAULT_MEMORY_MB
    reserved_concurrency: int | None = None

    @property
    def invoked_arn(self) -> str:
        """The ARN that the handler's context carries; one made from the name when none is known."""
        return self.arn or f"arn:aws:lambda:us-east-1:000000000000:function:{self.name}"


def process_environment(
    function: DeployedFunction,
    interpreter: Interpreter,
    *,
    task_root: Path,
    layer_roots: Sequence[Path],
    runtime_root: Path,
    scratch: Path,
    connection: Mapping[str, str],
) -> dict[str, str]:
    """Return every environment variable of the function's process; none is inherited.

    `connection` holds what Lambda itself would provide and a template cannot: credentials, Region,
    endpoints. The names and meanings of the others are Amazon's:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    region = Arn.parse(function.invoked_arn).region
    search = [function.environment.get("PYTHONPATH", "")]
    # A later layer overwrites an earlier one in /opt, so its folders are searched first.
    for layer in reversed(layer_roots):
        search += [f"{layer}/python/lib/{interpreter.runtime}/site-packages", f"{layer}/python"]
    search.append(str(runtime_root))
    return {
        "AWS_EC2_METADATA_DISABLED": "true",  # no credentials means none, not a slow search
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "TMPDIR": str(scratch),
        **function.environment,
        **connection,
        "PYTHONPATH": ":".join(path for path in search if path),
        # The asset is read-only on Lambda; a stray __pycache__ would also change its hash.
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{interpreter.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local/[$LATEST]",
        "LAMBDA_RUNTIME_DIR": str(runtime_root),
        "LAMBDA_TASK_ROOT": str(task_root),
        "_HANDLER": function.handler,
    }
