from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams import SourceError
from cdk_streams.constructs._bundle.entry_files import collect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "handler"
    (made / "rules").mkdir(parents=True)
    (made / "index.py").write_bytes(b"def handler(event, context): ...\n")
    (made / "rules" / "tax.py").write_bytes(b"RATE = 19\n")
    return made


def test_a_file_is_collected_alone(folder: Path) -> None:
    assert list(collect(folder / "index.py")) == ["index.py"]


def test_a_folder_is_collected_whole(folder: Path) -> None:
    assert collect(folder) == {
        "index.py": b"def handler(event, context): ...\n",
        "rules/tax.py": b"RATE = 19\n",
    }


@pytest.mark.parametrize(
    "stray",
    ["__pycache__/index.cpython-311.pyc", "rules/index.pyc", ".DS_Store", ".git/HEAD", ".venv/x"],
)
def test_caches_and_what_tools_leave_never_ship(folder: Path, stray: str) -> None:
    before = collect(folder)
    path = folder / stray
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"stray")
    assert collect(folder) == before


def test_names_can_be_left_out(folder: Path) -> None:
    assert list(collect(folder, exclude=["rules"])) == ["index.py"]


def test_a_link_is_followed(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "money.py").write_bytes(b"")
    (folder / "shared").symlink_to(shared)
    assert "shared/money.py" in collect(folder)


def test_a_link_that_leads_back_ends(folder: Path) -> None:
    (folder / "rules" / "again").symlink_to(folder)
    assert list(collect(folder)) == ["index.py", "rules/tax.py"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^entry must hold the handler's files, got the empty"):
        collect(tmp_path)
