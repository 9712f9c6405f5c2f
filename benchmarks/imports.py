"""What lambda_runtime adds to a cold start, beside Powertools and an empty handler, and its size.

    python -m venv /tmp/peers
    /tmp/peers/bin/python -m pip install --requirement benchmarks/requirements.txt
    python benchmarks/imports.py --python /tmp/peers/bin/python

Each handler is staged as the constructs stage it, with and without compiled files, and started
cold in Lambda's own client, awslambdaric, against a local Runtime API. Its module measures its own
import, and the script the time from the start of the process to the first answer. A few starts of
each take turns; targets are judged by the fastest import. Ends with 1 when one is missed.

`--python` must have the version of the Python that runs the script, whose compiled files it reads.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# So that it runs as it stands, installed or not.
sys.path.insert(0, str(Path(__file__).parent.parent))

from cdk_streams.constructs._bundle import (
    bytecode,
    entry_files,
    runtime_package,
    staging,
    start_files,
)
from cdk_streams.lambda_local import DeployedFunction, FunctionRunner

STARTS = 15
ASKED = """
import json, sys, sysconfig
print(json.dumps([sys.version_info[:2], sysconfig.get_path("purelib")]))
"""
HANDLER = """
import time
START = time.perf_counter()
{statement}
TOOK_MS = (time.perf_counter() - START) * 1000

def handler(event, context):
    return TOOK_MS
"""
EMPTY, ROUTER, PARSE, POWERTOOLS = "an empty handler", "a router", "a router, parse", "Powertools"
STATEMENTS = {
    EMPTY: "",
    ROUTER: "from lambda_runtime import Insert, Modify, Remove, Router",
    PARSE: "from lambda_runtime import Insert, Modify, Remove, Router, parse",
    POWERTOOLS: """
from aws_lambda_powertools.utilities.batch import BatchProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent""",
}
# What Powertools needs of its own; boto3 is there, as on Lambda.
POWERTOOLS_PACKAGES = ("aws_lambda_powertools", "jmespath", "typing_extensions")
# Milliseconds of the compiled import with all names; zipped bytes of the runtime beside a router.
# tests/unit/constructs/bundle has the same lines: 60,000 for sources, 75,000 for compiled files.
LARGEST_MS, LARGEST_SOURCES, LARGEST_ASSET = 6.0, 60_000, 135_000


@dataclass(frozen=True)
class Contestant:
    """A staged handler, its runtime's size as a zip, and what its cold starts took."""

    function: DeployedFunction
    zipped: int
    imports_ms: list[float] = field(default_factory=list)
    starts_ms: list[float] = field(default_factory=list)


def contestants(folder: Path, site_packages: Path) -> dict[tuple[str, bool], Contestant]:
    """Stage each handler in a folder, without and with compiled files."""
    found = {}
    for number, (name, statement) in enumerate(STATEMENTS.items()):
        entry = folder / f"entry{number}" / "index.py"
        entry.parent.mkdir()
        entry.write_text(HANDLER.format(statement=statement))
        files = entry_files.collect(entry)
        shipped: dict[str, bytes] = {}
        if name in (ROUTER, PARSE):
            shipped = runtime_package.runtime_files(files)
            start = start_files.start_files(files, "index.py", shipped)
        else:
            if name == POWERTOOLS:
                shipped = packages(site_packages)
            start = {**files, **shipped}
        compiled = bytecode.compiled(start, f"{sys.version_info.major}.{sys.version_info.minor}")
        for is_compiled, extra in ((False, {}), (True, compiled)):
            asset = folder / f"asset{number}{is_compiled}"
            staging.write({**files, **shipped, **extra}, asset)
            size = zipped({**shipped, **(extra if shipped else {})})
            found[name, is_compiled] = Contestant(DeployedFunction(asset, "index.handler"), size)
    return found


def packages(site_packages: Path) -> dict[str, bytes]:
    """The Python files of Powertools and of what it needs, as pip installs them."""
    paths = [
        path
        for name in POWERTOOLS_PACKAGES
        for path in [*(site_packages / name).rglob("*.py"), site_packages / f"{name}.py"]
    ]
    return {
        str(path.relative_to(site_packages)): path.read_bytes() for path in paths if path.is_file()
    }


def zipped(files: Mapping[str, bytes]) -> int:
    """Bytes of these files in a deployment package."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return len(package.getvalue())


def start_cold(contestant: Contestant, python: str) -> None:
    """Start the function once; keep its own import and the time to its first answer."""
    with FunctionRunner(contestant.function, python=python) as runner:
        began = time.perf_counter()
        answer = runner.invoke({})
        contestant.starts_ms.append((time.perf_counter() - began) * 1000)
    if answer.function_error is not None:
        raise SystemExit(f"the handler failed: {answer.payload}")
    contestant.imports_ms.append(float(answer.payload))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--python", default=sys.executable, help="a Python with the peers")
    python = parser.parse_args().python
    version, site_packages = json.loads(
        subprocess.run([python, "-c", ASKED], check=True, capture_output=True).stdout  # noqa: S603 - the caller chose it
    )
    if tuple(version) != sys.version_info[:2]:
        raise SystemExit(f"--python must be a Python {sys.version.split()[0]}, got {version}")
    with tempfile.TemporaryDirectory() as folder:
        found = contestants(Path(folder), Path(site_packages))
        for _ in range(STARTS):
            for contestant in found.values():
                start_cold(contestant, python)
    return report(found)


def report(found: Mapping[tuple[str, bool], Contestant]) -> int:
    """Print the table; give 1 when a target is missed."""
    print(f"Cold starts in awslambdaric ({STARTS} turns)")
    print(f"  {'':32}{'import, fastest':>18}{'median':>10}{'to first answer':>18}{'zipped':>12}")
    for (name, is_compiled), each in found.items():
        title = f"{name}, {'compiled' if is_compiled else 'sources only'}"
        print(
            f"  {title:32}{min(each.imports_ms):15.2f} ms"
            f"{statistics.median(each.imports_ms):7.2f} ms"
            f"{statistics.median(each.starts_ms):15.1f} ms{each.zipped:10,} B"
        )
    targets = [
        ("ms of import, compiled", min(found[PARSE, True].imports_ms), LARGEST_MS),
        ("bytes of sources, zipped", found[ROUTER, False].zipped, LARGEST_SOURCES),
        ("bytes of sources and compiled files", found[ROUTER, True].zipped, LARGEST_ASSET),
    ]
    missed = [target for target in targets if target[1] > target[2]]
    for what, measured, largest in missed:
        print(f"MISSED {measured:,.1f} {what}, at most {largest:,}")
    print("every target is met" if not missed else f"{len(missed)} targets are missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
