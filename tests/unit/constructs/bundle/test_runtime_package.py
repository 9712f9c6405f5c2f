from __future__ import annotations

import io
import sys
import zipfile

import pytest

from cdk_streams.constructs._bundle import runtime_package
from cdk_streams.constructs._bundle.bytecode import compiled
from cdk_streams.constructs._bundle.python_source import imported_modules, read_source
from cdk_streams.constructs._bundle.start_files import start_files
from cdk_streams.errors import ToolError


def test_the_runtime_is_found_without_importing_it() -> None:
    loaded = {name for name in sys.modules if name.split(".")[0] == runtime_package.RUNTIME}
    files = runtime_package.runtime_files()
    assert {"lambda_runtime/__init__.py", "lambda_runtime/_routing/router.py"} <= files.keys()
    assert {name for name in sys.modules if name.split(".")[0] == runtime_package.RUNTIME} == loaded


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_package, "find_spec", lambda _: None)
    with pytest.raises(ToolError) as caught:
        runtime_package.runtime_files()
    assert str(caught.value) == (
        "lambda_runtime must be installed beside cdk_streams to ship with a function, got none; "
        "install the cdk-streams distribution whole"
    )


def test_optional_parts_of_the_runtime_ship_with_what_imports_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = {"router.py": b"", "forward/__init__.py": b"", "views/__init__.py": b""}
    monkeypatch.setattr(runtime_package, "_runtime", lambda _folder: whole)
    handler = {"a.py": b"from lambda_runtime.forward import EventBus", "b.txt": b"\0 import x"}

    assert sorted(runtime_package.runtime_files()) == ["lambda_runtime/router.py"]
    assert sorted(runtime_package.runtime_files(handler)) == [
        "lambda_runtime/forward/__init__.py",
        "lambda_runtime/router.py",
    ]
    source = read_source(b"from lambda_runtime import forward")
    assert imported_modules(source) == {"lambda_runtime", "lambda_runtime.forward"}


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"from lambda_runtime import parse", False),
        (b"from lambda_runtime import MemoryTable", True),
    ],
)
def test_what_only_tests_and_type_checkers_need_does_not_ship(handler: bytes, ships: bool) -> None:
    files = runtime_package.runtime_files({"index.py": handler})

    assert "lambda_runtime/_routing/handler_types.py" not in files
    assert ("lambda_runtime/_tables/memory_table.py" in files) is ships


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"from lambda_runtime.forward import handler", False),
        (b"from lambda_runtime.forward import json_schema", True),
    ],
)
def test_what_writes_a_schema_ships_with_what_asks_for_one(handler: bytes, ships: bool) -> None:
    files = runtime_package.runtime_files({"index.py": handler})

    assert "lambda_runtime/forward/_forwarder.py" in files
    assert ("lambda_runtime/forward/_json_schema.py" in files) is ships


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"from lambda_runtime import Router", False),
        (b"from lambda_runtime import parse", True),
        (b"import lambda_runtime\nlambda_runtime.parse({})", True),
        (b"from lambda_runtime.forward import fetch", True),
    ],
)
def test_what_opens_envelopes_ships_with_a_handler_that_parses(handler: bytes, ships: bool) -> None:
    files = runtime_package.runtime_files({"index.py": handler})

    assert ("lambda_runtime/_changes/envelopes.py" in files) is ships


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"on.insert(created)", False),
        (b"@on.latest\ndef index(change): ...", True),
        (b"on.aggregate(writer)", True),
        (b"from lambda_runtime.views import view_handler", True),
    ],
)
def test_batch_routes_ship_with_a_handler_that_declares_one(handler: bytes, ships: bool) -> None:
    files = runtime_package.runtime_files({"index.py": handler})

    assert ("lambda_runtime/_routing/batch_routes.py" in files) is ships


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"on = Router()", set()),
        (b'on = Router(metrics="Shop")', {"metrics.py"}),
        (b"on = Router(trace=True)", {"traces.py"}),
        (b"from lambda_runtime import Pause", {"pause.py"}),
    ],
)
def test_metrics_pauses_and_traces_ship_with_a_handler_that_asks_for_them(
    handler: bytes, ships: set[str]
) -> None:
    files = runtime_package.runtime_files({"index.py": handler})

    optional = {"metrics.py", "pause.py", "traces.py"}
    found = {name for name in optional if f"lambda_runtime/_batches/{name}" in files}
    assert found == ships


def zipped_bytes(files: dict[str, bytes]) -> int:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return len(package.getvalue())


def test_the_runtime_of_a_plain_function_stays_under_60_kilobytes() -> None:
    assert zipped_bytes(runtime_package.runtime_files()) < 60_000


def test_compiled_files_of_a_plain_function_stay_under_75_kilobytes() -> None:
    handler = {"index.py": b"from lambda_runtime import Insert, Modify, Remove, Router"}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    start = start_files(handler, "index.py", runtime_package.runtime_files(handler))

    assert 30_000 < zipped_bytes(compiled(start, python)) < 75_000
