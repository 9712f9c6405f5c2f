"""A function's files are written once, to where CDK would copy them, and shared where alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_streams import StreamFunction
from cdk_streams.constructs._bundle import staging
from cdk_streams.constructs._bundle.entry_files import collect


def test_cdk_finds_the_files_where_it_would_copy_them_to(
    stack: cdk.Stack, handler_file: Path, tmp_path: Path
) -> None:
    StreamFunction(stack, "Function", entry=handler_file)
    assembly = tmp_path / "cdk.out"
    (link,) = (assembly / "cdk-streams").iterdir()
    (staged,) = assembly.glob("asset.*")
    assert link.is_symlink()
    assert link.resolve() == staged.resolve()
    assert (staged / "audit.py").is_file()


def test_the_folder_is_whole_where_cdk_copies_nothing(tmp_path: Path, handler_file: Path) -> None:
    """`cdk synth --no-staging`, which local tools ask for, reads the folder itself."""
    context = {"aws:cdk:disable-asset-staging": True}
    app = cdk.App(context=context, outdir=str(tmp_path / "out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Test")
    StreamFunction(stack, "Function", entry=handler_file)
    app.synth()
    (artifact,) = (tmp_path / "out").glob("*.assets.json")
    (asset,) = (
        each["source"]
        for each in json.loads(artifact.read_text(encoding="utf-8"))["files"].values()
        if each["source"]["packaging"] == "zip"
    )
    path = tmp_path / "out" / asset["path"]
    assert {"audit.py", "lambda_runtime"} <= {each.name for each in path.iterdir()}


def test_without_links_the_files_are_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    files = {"index.py": b"x", "lambda_runtime/a.py": b"y"}
    for name in ("one", "one", "two"):
        folder, _ = staging.place(files | {"name.py": name.encode()}, tmp_path)
        assert not folder.is_symlink()
        assert collect(folder) == files | {"name.py": name.encode()}


def test_functions_share_the_runtime_s_files_and_no_other(tmp_path: Path) -> None:
    runtime = {"lambda_runtime/a.py": b"shared", "index.py": b"own"}
    one, _ = staging.place(runtime | {"a.py": b"1"}, tmp_path)
    two, _ = staging.place(runtime | {"a.py": b"2"}, tmp_path)
    assert (one / "lambda_runtime/a.py").samefile(two / "lambda_runtime/a.py")
    assert not (one / "index.py").samefile(two / "index.py")


def test_an_assembly_that_was_emptied_is_filled_again(tmp_path: Path) -> None:
    files = {"lambda_runtime/a.py": b"emptied"}
    for _ in range(2):
        folder, _ = staging.place(files, tmp_path / "out")
        assert collect(folder) == files
        shutil.rmtree(tmp_path / "out")
