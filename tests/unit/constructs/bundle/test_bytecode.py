from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_streams import StreamFunction
from cdk_streams.constructs._bundle import bytecode, staging
from cdk_streams.constructs._bundle.bytecode import compiled

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER = "3.14" if RUNNING != "3.14" else "3.13"
RUNTIME = lambda_.Runtime(f"python{RUNNING}", lambda_.RuntimeFamily.PYTHON)


@pytest.fixture(autouse=True)
def unknown_interpreters() -> None:
    bytecode._interpreter.cache_clear()


def command(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def synthesized(tmp_path: Path, name: str, handler: Path) -> tuple[str, set[str]]:
    """Return the template of an app with one function, and the compiled files of its asset."""
    app = cdk.App(outdir=str(tmp_path / name), analytics_reporting=False)
    StreamFunction(cdk.Stack(app, "S"), "F", entry=handler, runtime=RUNTIME)
    template = json.dumps(app.synth().get_stack_by_name("S").template)
    (asset,) = (tmp_path / name).glob("asset.*")
    return template, {path.relative_to(asset).as_posix() for path in asset.rglob("*.pyc")}


def test_python_takes_the_compiled_file_for_its_source(tmp_path: Path) -> None:
    """It is not checked: with another source beside it, the compiled one runs."""
    files = compiled({"rules/tax.py": b"print('compiled', __file__)"}, RUNNING)
    staging.write({"rules/tax.py": b"print('source')", **files}, tmp_path / "task")
    ran = subprocess.run(
        [sys.executable, "-c", "import rules.tax"],
        cwd=tmp_path / "task",
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(files) == [cache_from_source("rules/tax.py", optimization="")]
    assert ran.stdout.split()[0] == "compiled"


def test_a_file_s_traceback_names_its_place_on_lambda() -> None:
    ((_, content),) = compiled({"rules/tax.py": b"1 / 0"}, RUNNING).items()
    assert b"/var/task/rules/tax.py" in content


def test_a_file_that_cannot_be_compiled_ships_as_it_is() -> None:
    files = compiled({"old.py": b"print 1", "null.py": b"\0", "new.py": b"x = '\\d'"}, RUNNING)
    assert [Path(name).name.split(".")[0] for name in files] == ["new"]


def test_a_python_of_the_function_s_version_on_path_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command answers as that version would; what it runs is this Python."""
    tag = f"cpython-{OTHER.replace('.', '')}"
    command(
        tmp_path,
        f"python{OTHER}",
        f'case "$*" in *cache_tag*) echo {tag};; *) exec {sys.executable} "$@";; esac',
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    sources = {"a.py": b"a = 1", "old.py": b"print 1"}
    assert compiled(sources, OTHER).keys() == compiled(sources, RUNNING).keys() != set()


@pytest.mark.parametrize("text", ["echo cpython-39", "exit 1", "echo; exit 0"])
def test_a_command_for_another_version_compiles_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(tmp_path, f"python{OTHER}", text)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiled({"a.py": b""}, OTHER) == {}


def test_without_the_function_s_python_nothing_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compiled({"a.py": b""}, OTHER) == {}


def test_machines_with_and_without_the_function_s_python_give_one_template(
    tmp_path: Path, handler_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it, compiled_files = synthesized(tmp_path, "with", handler_file)
    monkeypatch.setattr(bytecode, "_interpreter", lambda _: None)
    without, none = synthesized(tmp_path, "without", handler_file)
    assert cache_from_source("audit.py", optimization="") in compiled_files
    assert none == set()
    assert with_it == without


def test_a_changed_source_is_compiled_again(tmp_path: Path) -> None:
    """Into the same assembly, as a second synthesis does."""
    staged = []
    for source in (b"x = 'first'", b"x = 'second'"):
        folder, _ = staging.place(
            {"audit.py": source}, tmp_path / "out", compiled({"audit.py": source}, RUNNING)
        )
        staged.append((folder / cache_from_source("audit.py", optimization="")).read_bytes())
    assert b"first" in staged[0]
    assert b"second" in staged[1]


def test_an_asset_that_was_staged_without_compiled_files_gets_them(tmp_path: Path) -> None:
    files = {"lambda_runtime/a.py": b"a = 1", "audit.py": b"b = 2"}
    _, before = staging.place(files, tmp_path / "out")
    folder, digest = staging.place(files, tmp_path / "out", compiled(files, RUNNING))
    assert digest == before
    assert {path.name for path in folder.rglob("*.pyc")} == {
        Path(cache_from_source(name, optimization="")).name for name in ("a.py", "audit.py")
    }
    assert not list((tmp_path / "out").glob(".making-*"))
