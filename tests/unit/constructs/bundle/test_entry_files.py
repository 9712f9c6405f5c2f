from __future__ import annotations

from pathlib import Path

import pytest

from cdk_streams import SourceError
from cdk_streams.constructs._bundle.entry_files import LEFT_OUT, collect


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


SECRETS = [
    *(".env", ".env.prod", "prod.env", ".aws/credentials", ".ssh/config", ".netrc", ".npmrc"),
    *("id_rsa", "id_ed25519.old", "server.pem", "SERVER.PEM", "tls.key", "store.p12", "store.jks"),
    *("credentials", "credentials.json", "my_accessKeys.csv", "client_secret_1.json"),
    *("service-account.json", "terraform.tfstate", "terraform.tfstate.backup", "prod.tfvars"),
]
LEFTOVERS = [
    *(".git/HEAD", ".hg/store", ".svn/entries", ".idea/x.xml", ".vscode/x.json", "index.py~"),
    *("venv/lib/x.py", "node_modules/x/index.js", "cdk.out/manifest.json", "x.egg-info/PKG-INFO"),
    *(".pytest_cache/x", ".mypy_cache/x", ".gitignore", "__pycache__/x.py", ".index.py.swp"),
]


@pytest.mark.parametrize("name", SECRETS + LEFTOVERS)
@pytest.mark.parametrize("where", ["", "rules"])
def test_secrets_and_leftovers_ship_only_when_they_are_named(
    folder: Path, name: str, where: str
) -> None:
    before = collect(folder)
    path = folder / where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----")
    place = path.relative_to(folder).as_posix()

    assert collect(folder) == before
    assert collect(folder, include=[place]) == {**before, place: path.read_bytes()}
    assert collect(folder, include=[place], exclude=[place]) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("credentials.py", b""),
        ("keys.py", b""),
        ("environment.txt", b""),
        ("ca.pem", b"-----BEGIN CERTIFICATE-----"),
    ],
)
def test_source_and_certificates_are_no_secret(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert name in collect(folder)


def test_a_certificate_with_its_key_is_one(folder: Path) -> None:
    both = b"-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----"
    (folder / "server.pem").write_bytes(both)
    assert "server.pem" not in collect(folder)


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "cdk.out"])
def test_environments_and_assemblies_stay_out_whatever_their_name(
    folder: Path, marker: str
) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / marker).write_bytes(b"")
    (folder / "mine" / "x.py").write_bytes(b"")
    assert list(collect(folder)) == ["index.py", "rules/tax.py"]


def test_the_assembly_that_is_being_written_stays_out(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "tree.json").write_bytes(b"")
    assert list(collect(folder, assembly=folder / "out")) == ["index.py", "rules/tax.py"]


def test_every_pattern_is_in_the_docs() -> None:
    page = (Path(__file__).parents[4] / "docs" / "constructs.md").read_text(encoding="utf-8")
    assert [
        pattern
        for patterns in LEFT_OUT.values()
        for pattern in patterns
        if f"`{pattern}`" not in page
    ] == []


def test_what_git_ignores_stays_out_without_git(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("!\n*.log\n/handler/generated/\nnotes.txt\n")
    (folder / "rules" / ".gitignore").write_text("!notes.txt\n/local.py\n")
    for name in ("a.log", "generated/x.py", "notes.txt", "rules/notes.txt", "rules/local.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")

    assert list(collect(folder)) == ["index.py", "rules/notes.txt", "rules/tax.py"]
    assert "generated/x.py" in collect(folder, include=["generated"])
    assert "a.log" in collect(folder, include=["*.log"])


def test_an_ignored_folder_that_is_the_entry_ships(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("build/\n")
    made = tmp_path / "build" / "handler"
    made.mkdir(parents=True)
    (made / "index.py").write_bytes(b"")
    assert list(collect(made)) == ["index.py"]


@pytest.mark.parametrize("pattern", ["rules", "rules/*", "tax.py", "*/tax.py"])
def test_names_and_paths_can_be_left_out(folder: Path, pattern: str) -> None:
    assert list(collect(folder, exclude=[pattern])) == ["index.py"]


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "again").symlink_to(folder / "rules")
    (folder / "copy.py").symlink_to("index.py")
    assert {"again/tax.py", "copy.py"} <= collect(folder).keys()


@pytest.mark.parametrize("target", ["shared", "shared/money.py", "gone"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "money.py").write_bytes(b"")
    (folder / "there").symlink_to(tmp_path / target)

    with pytest.raises(SourceError) as caught:
        collect(folder)
    assert str(caught.value) == (
        f"entry must hold no link that leads out of it, got 'there' in {str(folder)!r} to "
        f"{str(tmp_path / target)!r}; copy what it links to, or pass exclude=['there']"
    )
    assert list(collect(folder, exclude=["there"])) == ["index.py", "rules/tax.py"]


def test_a_link_that_does_not_ship_may_lead_anywhere(folder: Path, tmp_path: Path) -> None:
    (folder / ".venv").symlink_to(tmp_path)
    (folder / "node_modules").symlink_to(tmp_path)
    assert list(collect(folder)) == ["index.py", "rules/tax.py"]


def test_a_link_that_leads_back_ends(folder: Path) -> None:
    (folder / "rules" / "again").symlink_to(folder)
    assert list(collect(folder)) == ["index.py", "rules/tax.py"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^entry must hold the handler's files, got the empty"):
        collect(tmp_path)
