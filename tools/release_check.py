"""Everything of a release but the upload: both archives built, checked, installed and run.

Run as `make release-check`, which brings twine and check-wheel-contents. Of the Pythons that the
project supports, those that are installed here are tried, and the others are named. With a tag
(`make release-check TAG=v0.1.0`) what is left to be decided is a failure, another version too.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PAGES = ("README.md", "docs/tutorial.md", "docs/compatibility.md")
UNPUBLISHED = re.compile(
    r"No version has been published|has not been (?:published|released)|As long as no version is"
)
# Both packages, and names that load on first use: a construct, which starts Node, and a function.
USE = (
    "import lambda_runtime, cdk_streams as c, cdk_streams.simulator as s; c.StreamTable; s.simulate"
)


def main(tags: list[str]) -> int:
    """Run each step and print what it found; 1 when a release is not possible yet."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    shutil.rmtree(DIST, ignore_errors=True)
    _run("hatchling", "build", "--target", "sdist", "--target", "wheel")
    wheel, sdist = next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))
    _run(sys.executable, "tools/check_wheel.py", str(wheel))
    _run("check-wheel-contents", "--toplevel", "cdk_streams,lambda_runtime", str(wheel))
    _run("twine", "check", "--strict", str(wheel), str(sdist))
    tried = [minor for minor in PYTHONS if _has_python(minor)]
    for minor in tried:
        for archive in (wheel, sdist) if minor in (tried[0], tried[-1]) else (wheel,):
            _install_and_run(minor, archive, project["version"])
    untried = [minor for minor in PYTHONS if minor not in tried]
    print(f"release-check: installed on Python {', '.join(tried)}")
    if untried:
        print(f"release-check: not tried, not installed here: Python {', '.join(untried)}")
    missing = undecided(project, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), tags)
    pages = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
    missing += [
        f"take the sentence {found!r} out of {page}"
        for page, text in pages.items()
        for found in unpublished(text)
    ]
    for each in missing:
        print(f"release-check: before the upload: {each}")
    return 0 if tried and not (tags and missing) else 1


def undecided(project: dict[str, Any], changes: str, tags: list[str]) -> list[str]:
    """What is left for a person: the day of the release, the project's address, the right tag."""
    version = re.escape(project["version"])
    dated = re.search(rf"^## \[{version}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE)
    found = []
    if not dated:
        found.append(f"put the date behind '## [{project['version']}]' in CHANGELOG.md")
    if "urls" not in project:
        found.append(
            "give the project its address with tools/set_address.py (docs/releasing.md): without "
            "one, README has no link and no picture on a package index"
        )
    if tags and tags != [f"v{project['version']}"]:
        found.append(f"tag the version of pyproject.toml, v{project['version']}, got {tags}")
    return found


def unpublished(text: str) -> list[str]:
    """Return what a page says about a version that is not published yet, in a few words each."""
    return UNPUBLISHED.findall(text)


def _install_and_run(minor: str, archive: Path, version: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/venv/bin/python"
        _run("uv", "venv", "--quiet", "--python", minor, f"{folder}/venv")
        _run("uv", "pip", "install", "--quiet", "--python", python, f"{archive}[cli]")
        _run(python, "-c", USE, cwd=Path(folder))
        shown = _run(f"{folder}/venv/bin/cdk-streams", "--version", cwd=Path(folder))
    if not shown.strip().endswith(version):
        raise SystemExit(f"cdk-streams --version says {shown.strip()!r}, expected {version}")


def _has_python(minor: str) -> bool:
    found = subprocess.run(  # noqa: S603 - a fixed command
        ["uv", "python", "find", "--system", minor],  # noqa: S607 - the environment's uv
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def _run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command of a release; its output when it passed, the end of the check when not."""
    print("$", *command)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
