from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from cdk_streams.lambda_local import DeployedFunction, Interpreter, why_packages_fail_here
from cdk_streams.lambda_local import _compiled_packages as module

X86_64, AARCH64 = 0x3E, 0xB7


@pytest.fixture(autouse=True)
def a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine be Linux on x86_64 with Python 3.13."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        module, "find_interpreter", lambda _runtime: Interpreter("python", (3, 13), ())
    )


def compiled(place: Path, machine: int) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(40))


def why(asset: Path, *layers: Path) -> str | None:
    return why_packages_fail_here(DeployedFunction(asset, "a.handler", name="audit", layers=layers))


def test_a_package_of_another_processor_is_one_sentence(tmp_path: Path) -> None:
    compiled(tmp_path / "pydantic_core" / "_core.cpython-314-aarch64-linux-gnu.so", AARCH64)
    assert why(tmp_path) == (
        "audit: the packages pydantic_core are compiled for Linux on arm64 and Python 3.14, and "
        "this machine runs functions with Python 3.13 on x86_64, so importing them fails here; "
        "give the function runtime=Runtime.PYTHON_3_13 and architecture=Architecture.X86_64 for "
        "local runs"
    )


@pytest.mark.parametrize(
    ("name", "machine", "fails"),
    [
        ("fast.cpython-313-x86_64-linux-gnu.so", X86_64, False),
        ("fast.abi3.so", X86_64, False),
        ("fast.cpython-312-x86_64-linux-gnu.so", X86_64, True),
        ("fast.abi3.so", AARCH64, True),
    ],
)
def test_what_this_machine_imports_needs_no_sentence(
    tmp_path: Path, name: str, machine: int, *, fails: bool
) -> None:
    compiled(tmp_path / name, machine)
    assert (why(tmp_path) is not None) is fails


def test_a_layers_packages_are_looked_at_too(tmp_path: Path) -> None:
    asset, layer = tmp_path / "asset", tmp_path / "layer"
    asset.mkdir()
    compiled(layer / "python" / "lib" / "python3.13" / "site-packages" / "numpy" / "a.so", AARCH64)
    compiled(layer / "python" / "orjson.abi3.so", AARCH64)
    assert "the packages numpy, orjson are compiled for Linux on arm64, and" in (
        why(asset, layer) or ""
    )


def test_on_another_system_than_linux_none_of_them_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    compiled(tmp_path / "fast.abi3.so", X86_64)
    assert why(tmp_path) is not None


def test_a_text_with_the_ending_of_a_library_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes.so").write_text("no library")
    assert why(tmp_path) is None
