from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_streams import SourceError, StreamFunction
from cdk_streams.constructs._bundle import requirements
from cdk_streams.constructs._bundle.requirements import Platform, install, pins
from cdk_streams.errors import ToolError

ARM = Platform("3.14", "arm64")
INTEL = Platform("3.14", "x86_64")


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder of wheels that stands in for the package index: `fast` for each machine."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for machine in ("aarch64", "x86_64"):
        tag = f"cp314-cp314-manylinux_2_17_{machine}"
        wheel(folder, "fast", tag, {"fast/speed.so": machine}, needs="plain>=1")
    wheel(folder, "plain", "py3-none-any", {"plain.py": "X = 1"})
    return folder


def wheel(folder: Path, name: str, tag: str, files: dict[str, str], needs: str = "") -> None:
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    every = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    every[f"{info}/RECORD"] = "".join(f"{each},,\n" for each in [*every, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as archive:
        for each, text in every.items():
            archive.writestr(each, text)


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    kind: str = request.param
    if kind == "pip":
        monkeypatch.setattr(shutil, "which", lambda _: None)
    elif shutil.which("uv") is None:
        pytest.skip("uv is not on the PATH")
    return kind


def file_of(wheels: Path, *lines: str) -> Path:
    path = wheels.parent / "requirements.txt"
    path.write_text("\n".join(["--no-index", f"--find-links {wheels}", *lines, ""]))
    return path


@pytest.mark.usefixtures("installer")
@pytest.mark.parametrize(("platform", "machine"), [(ARM, b"aarch64"), (INTEL, b"x86_64")])
def test_packages_are_those_of_the_function_s_machine(
    wheels: Path, tmp_path: Path, platform: Platform, machine: bytes
) -> None:
    files = install(file_of(wheels, "fast==1.0", "plain==1.0"), platform, tmp_path / "cache")
    assert files["fast/speed.so"] == machine
    assert sorted(files) == [
        "fast-1.0.dist-info/METADATA",
        "fast-1.0.dist-info/WHEEL",
        "fast-1.0.dist-info/entry_points.txt",
        "fast/speed.so",
        "plain-1.0.dist-info/METADATA",
        "plain-1.0.dist-info/WHEEL",
        "plain-1.0.dist-info/entry_points.txt",
        "plain.py",
    ]


def test_a_second_synthesis_installs_nothing_again(wheels: Path, tmp_path: Path) -> None:
    wanted = file_of(wheels, "fast==1.0", "plain==1.0")
    first = install(wanted, ARM, tmp_path / "cache")
    shutil.rmtree(wheels)
    assert install(wanted, ARM, tmp_path / "cache") == first


def test_each_platform_has_a_cache_of_its_own(wheels: Path, tmp_path: Path) -> None:
    wanted = file_of(wheels, "fast==1.0", "plain==1.0")
    for platform in (ARM, INTEL):
        install(wanted, platform, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_package_that_comes_along_unpinned_is_refused(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        install(file_of(wheels, "fast==1.0"), ARM, tmp_path / "cache")
    assert str(caught.value) == (
        "requirements must pin every package as name==version, got plain==1.0 unpinned; "
        "add it, as `uv pip compile` does"
    )


def test_a_package_without_a_wheel_for_the_platform_is_refused(
    wheels: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"must have wheels for Python 3\.12 on arm64, got an er"):
        install(file_of(wheels, "fast==1.0"), Platform("3.12", "arm64"), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_without_an_installer_that_is_said(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(requirements, "find_spec", lambda _: None)
    with pytest.raises(ToolError) as caught:
        install(file_of(wheels, "plain==1.0"), ARM, tmp_path / "cache")
    assert str(caught.value) == (
        "requirements are installed by uv or pip, got neither in this environment; "
        "install uv into it"
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        install(tmp_path / "nope.txt", ARM, tmp_path)
    assert str(caught.value) == (
        f"requirements must be a requirements file, got {str(tmp_path / 'nope.txt')!r}, "
        f"which is not there; relative paths start at {str(Path.cwd())!r}"
    )


def test_pins_are_read_as_installers_spell_them() -> None:
    text = """
    # a comment
    --index-url https://packages.example
    Typing_Extensions==4.1 ; python_version < "3.15"  # why
    boto3[crt]==1.35.0 \\
        --hash=sha256:aa \\
        --hash=sha256:bb
    zope.interface===6.0
    """
    assert pins(text) == {"typing-extensions", "boto3", "zope-interface"}


@pytest.mark.parametrize(
    "line", ["boto3", "boto3>=1", "boto3==1.*", "-r other.txt", "-e .", "./local", "a @ b://c"]
)
def test_a_line_that_pins_nothing_is_refused(line: str) -> None:
    with pytest.raises(SourceError) as caught:
        pins(line)
    assert str(caught.value) == (
        f"requirements must pin every package as name==version, got {line!r}; "
        "`uv pip compile` writes such a file"
    )


@pytest.mark.parametrize(("python", "al2023"), [("3.11", False), ("3.12", True), ("3.14", True)])
def test_the_python_decides_the_c_library(python: str, *, al2023: bool) -> None:
    assert Platform(python, "x86_64").has_al2023 is al2023


def test_requirements_ship_beside_the_handler(
    stack: cdk.Stack, wheels: Path, handler_file: Path, tmp_path: Path
) -> None:
    StreamFunction(
        stack,
        "Audit",
        entry=handler_file,
        requirements=file_of(wheels, "fast==1.0", "plain==1.0"),
        architecture=lambda_.Architecture.X86_64,
    )
    (asset,) = (tmp_path / "cdk.out").glob("asset.*")
    assert (asset / "fast" / "speed.so").read_bytes() == b"x86_64"
    assert (asset / "lambda_runtime" / "_routing" / "router.py").is_file()


def test_a_handler_named_like_a_package_is_refused(
    stack: cdk.Stack, wheels: Path, handler_file: Path
) -> None:
    entry: Any = handler_file.rename(handler_file.with_name("plain.py"))
    with pytest.raises(SourceError) as caught:
        StreamFunction(stack, "F", entry=entry, requirements=file_of(wheels, "plain==1.0"))
    assert str(caught.value) == (
        "requirements must not bring files that the handler has, got 'plain.py' in both; "
        "rename the handler's"
    )
