"""What importing lambda_runtime costs a cold start, beside its peers, and how large it is.

    python -m pip install --requirement benchmarks/requirements.txt
    python benchmarks/imports.py

Each import happens in a fresh interpreter, taking turns, and is timed inside it, so that starting
Python is no part of it. Everything was compiled before, in the first two tables: in a bare
interpreter, and in one that has imported what Lambda's runtime client has when a handler's module
is loaded. The third is our staged asset, which holds no compiled files, so that a cold start
compiles it. Targets are judged by the fastest turns. Ends with 1 when one is missed.
"""

from __future__ import annotations

import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TURNS = 15
IMPORTS = {
    "import lambda_runtime": "import lambda_runtime",
    "what a handler imports": "from lambda_runtime import Insert, Modify, Remove, Router, parse",
    "every public name": "from lambda_runtime import *",
    "powertools data classes": (
        "from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent"
    ),
    "powertools batch": (
        "from aws_lambda_powertools.utilities.batch import BatchProcessor, process_partial_response"
    ),
    "boto3 types": "from boto3.dynamodb.types import TypeDeserializer",
    "ddbcereal": "import ddbcereal",
    "cerealbox": "import cerealbox.dynamo",
}
OURS = ("import lambda_runtime", "what a handler imports", "every public name")
HANDLER, POWERTOOLS = "what a handler imports", "powertools data classes"
# Milliseconds, a fraction of Powertools' time, and bytes.
LARGEST_MS, LARGEST_FRACTION, LARGEST_ZIP = 12.0, 1 / 8, 60_000
# What comes with the interpreter's own start, or with Lambda's client, is imported before.
BARE = "import time"
IN_LAMBDA = "import time, json, datetime, decimal, logging, importlib, urllib.parse, traceback"


def import_ms(statement: str, before: str, folder: Path, compiled: Path | None) -> float:
    """Milliseconds of a statement in a fresh interpreter; `compiled` keeps compiled files."""
    script = (
        f"{before}\nstart = time.perf_counter()\n{statement}\n"
        "print((time.perf_counter() - start) * 1000)"
    )
    caching = (
        {"PYTHONPYCACHEPREFIX": str(compiled)} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}
    )
    ran = subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", script],
        cwd=folder,
        env=caching,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(ran.stdout)


def table(
    title: str, imports: dict[str, str], before: str, folder: Path, compiled: Path | None
) -> dict[str, float]:
    """Print what each import costs; give the fastest turns."""
    times: dict[str, list[float]] = {name: [] for name in imports}
    for turn in range(TURNS + 1):
        for name, statement in imports.items():
            taken = import_ms(statement, before, folder, compiled)
            if turn:  # the first one compiles
                times[name].append(taken)
    fastest = {name: min(measured) for name, measured in times.items()}
    print(f"\n{title} ({TURNS} turns)")
    print(f"  {'':28}{'fastest':>12}{'median':>12}{'of Powertools':>16}")
    for name, measured in times.items():
        share = f"{fastest[name] / fastest[POWERTOOLS]:.3f}x" if POWERTOOLS in fastest else ""
        print(f"  {name:28}{fastest[name]:9.2f} ms{statistics.median(measured):9.2f} ms{share:>16}")
    return fastest


def staged(folder: Path) -> int:
    """Stage the runtime as it stands beside a handler; give its size in a deployment package."""
    for path in (ROOT / "lambda_runtime").glob("*.*"):
        (folder / "lambda_runtime").mkdir(exist_ok=True)
        shutil.copy(path, folder / "lambda_runtime")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (folder / "lambda_runtime").iterdir():
            archive.write(path, path.relative_to(folder))
    return len(package.getvalue())


def main() -> int:
    ours = {name: IMPORTS[name] for name in OURS}
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryDirectory() as asset:
        compiled, folder = Path(cache), Path(asset)
        bare = table("In a bare interpreter", IMPORTS, BARE, ROOT, compiled)
        title = "Where Lambda's runtime client is loaded"
        in_lambda = table(title, IMPORTS, IN_LAMBDA, ROOT, compiled)
        size = staged(folder)
        table("The staged asset, compiled at each start", ours, IN_LAMBDA, folder, None)
    print(f"\nlambda_runtime zipped: {size:,} bytes")
    missed = []
    if bare[HANDLER] > LARGEST_MS:
        missed.append(f"a handler's import adds {bare[HANDLER]:.1f} ms, at most {LARGEST_MS} ms")
    for place, fastest in (("bare", bare), ("in Lambda", in_lambda)):
        share = fastest[HANDLER] / fastest[POWERTOOLS]
        if share > LARGEST_FRACTION:
            missed.append(f"{place}: {share:.3f} of Powertools, at most {LARGEST_FRACTION:.3f}")
    if size > LARGEST_ZIP:
        missed.append(f"{size:,} bytes zipped, at most {LARGEST_ZIP:,}")
    for sentence in missed:
        print(f"MISSED {sentence}")
    print("every target is met" if not missed else f"{len(missed)} targets are missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
