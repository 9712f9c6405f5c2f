from __future__ import annotations

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest

from cdk_streams import SourceError
from cdk_streams.constructs._bundle import staging


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "handler"
    (made / "rules").mkdir(parents=True)
    (made / "index.py").write_bytes(b"def handler(event, context): ...\n")
    (made / "rules" / "tax.py").write_bytes(b"RATE = 19\n")
    return made


def test_a_file_is_collected_alone(folder: Path) -> None:
    assert list(staging.collect(folder / "index.py")) == ["index.py"]


def test_a_folder_is_collected_whole(folder: Path) -> None:
    assert staging.collect(folder) == {
        "index.py": b"def handler(event, context): ...\n",
        "rules/tax.py": b"RATE = 19\n",
    }


@pytest.mark.parametrize(
    "stray",
    ["__pycache__/index.cpython-311.pyc", "rules/index.pyc", ".DS_Store", ".git/HEAD", ".venv/x"],
)
def test_caches_and_what_tools_leave_never_ship(folder: Path, stray: str) -> None:
    before = staging.collect(folder)
    path = folder / stray
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"stray")
    assert staging.collect(folder) == before


def test_names_can_be_left_out(folder: Path) -> None:
    assert list(staging.collect(folder, exclude=["rules"])) == ["index.py"]


def test_a_link_is_followed(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "money.py").write_bytes(b"")
    (folder / "shared").symlink_to(shared)
    assert "shared/money.py" in staging.collect(folder)


def test_a_link_that_leads_back_ends(folder: Path) -> None:
    (folder / "rules" / "again").symlink_to(folder)
    assert list(staging.collect(folder)) == ["index.py", "rules/tax.py"]


def test_the_fingerprint_covers_names_and_contents() -> None:
    prints = {
        staging.fingerprint(files)
        for files in ({"a": b"bc"}, {"ab": b"c"}, {"a": b"b", "c": b""}, {"a": b"BC"}, {})
    }
    assert len(prints) == 5


def test_the_fingerprint_does_not_depend_on_the_order() -> None:
    assert staging.fingerprint({"a": b"1", "b": b"2"}) == staging.fingerprint(
        {"b": b"2", "a": b"1"}
    )


def test_what_is_written_can_be_read_by_all(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        staging.write({"index.py": b"x", "rules/tax.py": b"y"}, tmp_path / "out")
    finally:
        os.umask(previous)
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
        for path in [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    }
    assert modes == {
        "out": 0o755,
        "out/index.py": 0o644,
        "out/rules": 0o755,
        "out/rules/tax.py": 0o644,
    }


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    staging.write({"index.py": b"first"}, tmp_path / "out")
    staging.write({"index.py": b"second"}, tmp_path / "out")
    assert (tmp_path / "out" / "index.py").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="index"):
        staging.write({"index.py": b"", "index.py/x.py": b""}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_runtime_is_found_without_importing_it() -> None:
    loaded = {name for name in sys.modules if name.split(".")[0] == staging.RUNTIME}
    files = staging.runtime_files()
    assert {"lambda_runtime/__init__.py", "lambda_runtime/_routing/router.py"} <= files.keys()
    assert {name for name in sys.modules if name.split(".")[0] == staging.RUNTIME} == loaded


def test_a_missing_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "find_spec", lambda _: None)
    with pytest.raises(SourceError) as caught:
        staging.runtime_files()
    assert str(caught.value) == (
        "lambda_runtime must be installed beside cdk_streams to ship with a function, got none; "
        "install the cdk-streams distribution whole"
    )


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^entry must hold the handler's files, got the empty"):
        staging.collect(tmp_path)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (b"def handler(e, c): ...", {"handler"}),
        (b"async def handler(e, c): ...", {"handler"}),
        (b"from lambda_runtime import Router\non = Router()\nhandler = on.handler", None),
        (b"import audit as handler", {"handler"}),
        (b"handler: object = print", None),
        (b"class handler: ...", {"handler"}),
    ],
)
def test_the_names_of_a_module_are_read_without_running_it(
    source: bytes, names: set[str] | None
) -> None:
    found = staging.defined_names(source)
    assert found is not None
    assert "handler" in found
    assert names is None or found == names


@pytest.mark.parametrize(
    "source", [b"from app import *", b"if True:\n    x = 1", b"match type x = =", b"\xff"]
)
def test_names_that_cannot_be_told_are_not_guessed(source: bytes) -> None:
    assert staging.defined_names(source) is None


def test_optional_parts_of_the_runtime_ship_with_what_imports_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = {"router.py": b"", "forward/__init__.py": b"", "views/__init__.py": b""}
    monkeypatch.setattr(staging, "_runtime", lambda _folder: whole)
    handler = {"a.py": b"from lambda_runtime.forward import EventBus", "b.txt": b"\0 import x"}

    assert sorted(staging.runtime_files()) == ["lambda_runtime/router.py"]
    assert sorted(staging.runtime_files(handler)) == [
        "lambda_runtime/forward/__init__.py",
        "lambda_runtime/router.py",
    ]
    assert staging.imports(b"from lambda_runtime import forward") == {
        "lambda_runtime",
        "lambda_runtime.forward",
    }


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"from lambda_runtime import parse", False),
        (b"from lambda_runtime import MemoryTable", True),
    ],
)
def test_what_only_tests_and_type_checkers_need_does_not_ship(handler: bytes, ships: bool) -> None:
    files = staging.runtime_files({"index.py": handler})

    assert "lambda_runtime/_routing/handler_types.py" not in files
    assert ("lambda_runtime/_tables/memory_table.py" in files) is ships


@pytest.mark.parametrize(
    ("handler", "ships"),
    [
        (b"from lambda_runtime import Router", False),
        (b"from lambda_runtime import parse", True),
        (b"import lambda_runtime\nlambda_runtime.parse({})", True),
    ],
)
def test_what_opens_envelopes_ships_with_a_handler_that_parses(handler: bytes, ships: bool) -> None:
    files = staging.runtime_files({"index.py": handler})

    assert ("lambda_runtime/_changes/envelopes.py" in files) is ships


def test_the_runtime_of_a_plain_function_stays_under_60_kilobytes() -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(staging.runtime_files().items()):
            archive.writestr(name, content)

    assert len(package.getvalue()) < 60_000
