"""What the repository promises about itself: locks, versions, metadata, commands."""

import json
import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
NPM_LOCKS = sorted((ROOT / "tools").glob("*/package-lock.json"))
CDK = "2.1148.1"

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = [
    "registry" + ".npmjs",
    "npmjs" + ".org",
    "pypi" + ".org",
    "python" + "hosted",
    "files.python" + "hosted",
    "deb" + ".debian",
]
HOMES = ["/ho" + "me/", "/ro" + "ot/", "/wo" + "rk/", "/Us" + "ers/", "/t" + "mp/tmp"]


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the git of whoever works here
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("needs git and a clone: a source archive has no list of tracked files")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


def _locked(lock: Path) -> dict[str, list[str]]:
    """Each requirement of a lock with its hashes: `{"rich==15.0.0": ["sha256:..."]}`."""
    found: dict[str, list[str]] = {}
    for line in lock.read_text().replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split("--hash=")
        found[requirement.split(";")[0].strip()] = [one.strip() for one in hashes]
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("word", HOSTS + HOMES)
def test_no_tracked_file_names_a_package_host_or_a_folder_of_one_machine(word: str) -> None:
    assert [str(path.relative_to(ROOT)) for path in _tracked() if word in _text(path)] == []


def test_each_lint_exception_names_its_rules_and_its_reason() -> None:
    wanted = re.compile("# no" + r"qa: [A-Z]+\d+(, [A-Z]+\d+)* - \S")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _tracked()
        if path.suffix == ".py"
        for number, line in enumerate(_text(path).splitlines(), start=1)
        # Written in pieces: this line is none.
        if "# no" + "qa" in line and not wanted.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_one_version_and_its_hashes(lock: Path) -> None:
    locked = _locked(lock)
    assert locked
    for requirement, hashes in locked.items():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", requirement)
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize(
    "lock", LOCKS + NPM_LOCKS, ids=lambda lock: f"{lock.parent.name}/{lock.name}"
)
def test_a_lock_says_what_to_install_and_not_from_where(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda lock: lock.parent.name)
def test_every_npm_package_has_a_version_and_a_hash(lock: Path) -> None:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert installed
    for package in installed.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert package["integrity"].startswith("sha512-")


def test_the_cdk_command_is_the_pinned_one_in_both_of_its_files() -> None:
    folder = ROOT / "tools/cdk"
    assert json.loads((folder / "package.json").read_text())["dependencies"] == {"aws-cdk": CDK}
    lock = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert lock["node_modules/aws-cdk"]["version"] == CDK


def test_the_lock_holds_everything_the_project_and_its_developers_ask_for() -> None:
    project = PYPROJECT["project"]
    itself = project["name"]
    asked = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
        *(one for one in PYPROJECT["dependency-groups"]["dev"] if isinstance(one, str)),
        *PYPROJECT["dependency-groups"]["setup"],
    ]
    locked = {name.split("==")[0] for name in _locked(ROOT / "requirements/dev.txt")}
    names = {_canonical(re.split(r"[\[<>=!~; ]", one)[0]) for one in asked}
    assert names - locked == {itself}, "the extra local includes the extra cli"


def test_a_version_pinned_in_pyproject_is_the_one_locked() -> None:
    groups = PYPROJECT["dependency-groups"]
    asked = [one for group in groups.values() for one in group if isinstance(one, str)]
    pinned = {one for one in asked if "==" in one}
    assert pinned
    assert pinned - _locked(ROOT / "requirements/dev.txt").keys() == set()


def test_uv_is_the_same_in_both_locks() -> None:
    setup, dev = (_locked(ROOT / "requirements" / name) for name in ("setup.txt", "dev.txt"))
    assert list(setup) == [one for one in dev if one.startswith("uv==")]


def test_the_metadata_names_what_cdk_users_search_for() -> None:
    project = PYPROJECT["project"]
    assert project["requires-python"] == ">=3.11", "an upper bound makes installers go back"
    for classifier in ("Framework :: AWS CDK :: 2", "Framework :: Pytest", "Typing :: Typed"):
        assert classifier in project["classifiers"]
    for minor in (11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in project["classifiers"]


def test_installing_the_library_brings_three_packages() -> None:
    names = [re.split(r"[<>=]", one)[0] for one in PYPROJECT["project"]["dependencies"]]
    assert names == ["aws-cdk-lib", "constructs", "pathspec"]


def test_each_extra_is_asked_for_in_one_spelling() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"].keys()
    texts = "\n".join(_text(path) for path in _tracked() if path.suffix in {".md", ".py"})
    asked = re.findall(r"pip install \S*cdk-streams\[[^{\s]\S*", texts)  # not where it is made
    assert asked
    known = {f"pip install 'cdk-streams[{extra}]'" for extra in extras}
    assert {one for one in asked if not one.startswith(tuple(known))} == set()


@pytest.mark.parametrize("package", ["cdk_streams", "lambda_runtime"])
def test_type_checkers_read_the_package(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


def test_the_gate_runs_the_test_command_that_readme_names() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    assert re.search(r"^gate make test\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)


def test_readme_names_the_command_that_shows_everything() -> None:
    assert "make demo" in (ROOT / "README.md").read_text()


def test_each_number_of_cases_that_make_sets_is_read_by_a_test() -> None:
    rule = re.search(r"^MANY_CASES := ((?:.*\\\n)*.*)", _text(ROOT / "Makefile"), re.MULTILINE)
    assert rule
    tests = "\n".join(_text(path) for path in _tracked() if "tests" in path.parts)
    read = set(re.findall(r'environ\.get\("(\w+_(?:CASES|SEEDS|EXAMPLES|WRITES))"', tests))
    assert set(re.findall(r"(\w+)=\d", rule[1])) == read


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    command = re.compile(r"(?:^|`|^gate |\$ )make ([a-z][a-z-]*)", re.MULTILINE)
    named = set(command.findall(_text(ROOT / document)))
    assert named
    assert named - targets == set()


@pytest.mark.pinned
def test_every_feature_flag_that_cdk_recommends_is_set_as_recommended() -> None:
    spec = find_spec("aws_cdk")
    assert spec
    assert spec.origin
    (package,) = Path(spec.origin).parent.glob("_jsii/aws-cdk-lib@*.tgz")
    with tarfile.open(package) as files:
        recommended = files.extractfile("package/recommended-feature-flags.json")
        assert recommended
        flags = json.load(recommended)
    assert json.loads(_text(ROOT / "cdk.json"))["context"] == flags
    assert flags["@aws-cdk/core:validateAgainstDefaultRules"] is True


def test_the_python_finder_takes_one_that_fits() -> None:
    assert Path(_find_python(sys.executable).stdout.strip()).exists()


def test_the_python_finder_says_what_it_needs_and_what_it_found() -> None:
    failed = _find_python("no-such-python")
    assert failed.returncode == 1
    assert "needs Python 3.11 to 3.14" in failed.stderr
    assert "no Python at all" in failed.stderr


def _find_python(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a script of this repository
        ["/bin/sh", str(ROOT / "tools/find-python")],
        env={"PYTHON": name, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    titles = [record.read_text(encoding="utf-8").splitlines()[0] for record in records]
    numbers = [int(re.match(r"# (\d+)\. ", title)[1]) for title in titles]  # type: ignore[index]
    assert numbers == list(range(1, len(records) + 1))
    assert [int(record.name[:4]) for record in records] == numbers
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert listed == [
        (title[2:], record.name) for title, record in zip(titles, records, strict=True)
    ]


def test_a_decision_record_has_its_parts() -> None:
    for record in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        text = record.read_text(encoding="utf-8")
        assert re.search(r"^Status: (accepted|replaced by \d+)$", text, re.MULTILINE), record.name
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], record.name
