"""`cdk-streams init`: its files are README's example, a test passes in them, nothing is lost."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cdk_streams.cli import main

ROOT = Path(__file__).parents[3]
README = re.findall(
    r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
NAMES = {"app.py", "cdk.json", "handlers", "requirements.txt", "test_notify.py", "write_orders.py"}


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "new" / "shop"
    assert init(str(folder)).exit_code == 0
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def statements(code: str) -> list[str]:
    """Return a module's statements without its docstring, imports in one order."""
    body = ast.parse(code).body
    is_text = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    shown = [ast.unparse(each) for each in body[is_text:]]
    imports = sorted(each for each in shown if "import " in each)
    return [*imports, *(each for each in shown if "import " not in each)]


def test_a_new_app_has_what_its_user_reads_and_nothing_else(project: Path) -> None:
    assert {path.name for path in project.iterdir()} == NAMES | {".gitignore"}


def test_handler_and_test_are_those_of_readme(project: Path) -> None:
    _, handler, test = README
    assert statements((project / "handlers" / "notify.py").read_text()) == statements(handler)
    assert statements((project / "test_notify.py").read_text()) == statements(test)


def test_the_stack_is_that_of_readme_with_an_output(project: Path) -> None:
    written = statements((project / "app.py").read_text())
    added = [each for each in written if each not in statements(README[0])]
    assert added == [
        "from aws_cdk import App, CfnOutput, Stack",
        "CfnOutput(stack, 'OrdersTable', value=orders.table_name)",
    ]
    assert len(written) == len(statements(README[0])) + 1


def test_its_test_passes(project: Path) -> None:
    assert "1 passed" in run(project, "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.pinned  # ruff is not among the packages of the other environments.
def test_its_files_are_formatted(project: Path) -> None:
    run(project, "ruff", "check", "--no-cache", "--isolated", ".")
    run(project, "ruff", "format", "--no-cache", "--isolated", "--check", ".")


def test_a_file_that_is_there_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("mine")
    done = init(str(tmp_path))
    assert done.exit_code == 2
    assert done.output == (
        f"Error: {tmp_path} must not hold files that init writes, got cdk.json; "
        "name another folder\n"
    )
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_the_current_folder_is_taken_when_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = init()
    assert done.exit_code == 0
    assert f"Then, in {tmp_path}:" in done.output
    assert (tmp_path / "app.py").is_file()


def test_a_folder_that_is_a_file_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file")
    done = init(str(tmp_path / "shop"))
    assert done.exit_code == 2
    assert "Error: " in done.output
