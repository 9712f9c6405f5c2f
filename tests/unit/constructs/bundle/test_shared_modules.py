from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_streams import SourceError
from cdk_streams.constructs._bundle.function_code import Entry, FunctionCode, function_code
from cdk_streams.constructs._bundle.requirements import Platform

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a maker of projects from files: `project(**{"handlers/a.py": "import x"})`."""

    def make(**files: str) -> Path:
        for name, source in {"cdk.json": "{}", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return tmp_path

    return make


def code(
    entry: Path, index: str = "index.py", *, has_layers: bool = False, python: str = "3.14"
) -> FunctionCode:
    asked = Entry(entry, index, "handler", None, (), (), has_layers)
    return function_code(asked, Platform(python, "arm64"), entry.parent / "out")


def own_files(found: FunctionCode) -> list[str]:
    return sorted(name for name in found.files if not name.startswith("lambda_runtime/"))


HANDLER = "def handler(event, context): ...\n"


@pytest.mark.parametrize(
    "statement",
    [
        "from handlers.common import retry",
        "from handlers import common",
        "import handlers.common",
        "import handlers.common as shared",
        "try:\n    from handlers.common import retry\nexcept ImportError: ...",
        "def late():\n    from handlers.common import retry",
    ],
)
def test_shared_code_ships_with_each_handler(project: Project, statement: str) -> None:
    root = project(
        **{
            "handlers/__init__.py": "",
            "handlers/audit.py": f"{statement}\n{HANDLER}",
            "handlers/common.py": "import shop.money",
            "handlers/notify.py": HANDLER,
            "shop/__init__.py": "from .rates import RATE",
            "shop/money.py": "import json",
            "shop/rates.py": "RATE = 1",
            "shop/unused.py": "",
        }
    )
    found = code(root / "handlers" / "audit.py")
    assert own_files(found) == [
        "audit.py",
        "handlers/__init__.py",
        "handlers/common.py",
        "shop/__init__.py",
        "shop/money.py",
        "shop/rates.py",
    ]
    assert found.handler == "audit.handler"


@pytest.mark.parametrize("init", [True, False])
def test_a_handler_with_relative_imports_ships_in_its_package(
    project: Project, *, init: bool
) -> None:
    root = project(
        **{
            "handlers/audit.py": f"from .common import retry\nfrom . import names\n{HANDLER}",
            "handlers/common.py": "",
            "handlers/names.py": "",
            **(
                {"handlers/__init__.py": "import handlers.setup", "handlers/setup.py": ""}
                if init
                else {}
            ),
        }
    )
    found = code(root / "handlers" / "audit.py")
    assert found.handler == "handlers.audit.handler"
    expected = ["handlers/audit.py", "handlers/common.py", "handlers/names.py"]
    expected += ["handlers/__init__.py", "handlers/setup.py"] if init else []
    assert own_files(found) == sorted(expected)


def test_code_beside_a_handler_and_in_src_is_found_too(project: Project) -> None:
    root = project(
        **{
            "handlers/audit.py": f"import common\nimport shop.money\n{HANDLER}",
            "handlers/common.py": "",
            "src/shop/money.py": "",
        }
    )
    found = code(root / "handlers" / "audit.py")
    assert own_files(found) == ["audit.py", "common.py", "shop/money.py"]


def test_a_folder_brings_what_it_imports_from_outside(project: Project) -> None:
    root = project(
        **{
            "handlers/audit/index.py": f"import rules\nfrom handlers.common import x\n{HANDLER}",
            "handlers/audit/rules.py": "",
            "handlers/audit/plugin.py": "import handlers.late\nimport nowhere",
            "handlers/common.py": "",
            "handlers/late.py": "",
        }
    )
    found = code(root / "handlers" / "audit")
    assert own_files(found) == [
        "handlers/common.py",
        "handlers/late.py",
        "index.py",
        "plugin.py",
        "rules.py",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "import json, os.path\nfrom collections import abc",
        "import boto3\nfrom botocore.exceptions import ClientError",
        "from lambda_runtime import Router",
        "from __future__ import annotations",
    ],
)
def test_python_and_lambda_bring_their_own(project: Project, statement: str) -> None:
    root = project(**{"handlers/audit.py": f"{statement}\n{HANDLER}"})
    assert own_files(code(root / "handlers" / "audit.py")) == ["audit.py"]


@pytest.mark.parametrize(
    ("module", "first", "last"),
    [("imp", "3.11", "3.11"), ("cgi", "3.11", "3.12"), ("compression.zstd", "3.14", "3.14")],
)
def test_the_standard_library_is_that_of_the_function_s_python(
    project: Project, module: str, first: str, last: str
) -> None:
    root = project(**{"handlers/audit.py": f"import {module}\n{HANDLER}"})
    entry = root / "handlers" / "audit.py"
    for python in ("3.11", "3.12", "3.13", "3.14"):
        if first <= python <= last:
            assert own_files(code(entry, python=python)) == ["audit.py"]
        else:
            with pytest.raises(SourceError, match=f"got {module} "):
                code(entry, python=python)


def test_a_module_named_like_one_of_python_is_no_part_of_the_project(project: Project) -> None:
    root = project(**{"types.py": "", "handlers/audit.py": f"import types\n{HANDLER}"})
    assert own_files(code(root / "handlers" / "audit.py")) == ["audit.py"]


@pytest.mark.parametrize(
    ("statement", "got"),
    [
        ("import requests", "requests (audit.py, line 1)"),
        ("from requests.auth import X", "requests.auth (audit.py, line 1)"),
        ("def handler(e, c):\n    import requests", "requests (audit.py, line 2)"),
        ("from handlers.gone import x", "handlers.gone (audit.py, line 1)"),
        ("import cdk_streams", "cdk_streams (audit.py, line 1)"),
        ("import requests, yaml", "requests (audit.py, line 1), yaml (audit.py, line 1)"),
        ("import handlers.common", "yaml (handlers/common.py, line 1)"),
    ],
)
def test_an_import_that_lambda_will_not_have_is_refused(
    project: Project, statement: str, got: str
) -> None:
    root = project(
        **{
            "handlers/audit.py": f"{statement}\n{HANDLER}",
            "handlers/common.py": "import yaml\ndef late():\n    import matplotlib",
        }
    )
    with pytest.raises(SourceError) as caught:
        code(root / "handlers" / "audit.py")
    assert str(caught.value) == (
        "every import of audit.py must be satisfied by the project, requirements=, layers=, the "
        f"standard library or Lambda's Python runtime, got {got}"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mypy_boto3_s3 import S3",
        "import typing\nif typing.TYPE_CHECKING:\n    import handlers.common",
        "try:\n    import requests\nexcept ImportError:\n    import nowhere",
        "import sys\nif sys.platform == 'win32':\n    import winapi",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import requests",
    ],
)
def test_an_import_that_may_fail_is_left_to_the_handler(project: Project, statement: str) -> None:
    root = project(
        **{"handlers/audit.py": f"{statement}\n{HANDLER}", "handlers/common.py": "import yaml"}
    )
    assert own_files(code(root / "handlers" / "audit.py")) == ["audit.py"]


def test_layers_may_bring_packages_but_no_module_of_the_project(project: Project) -> None:
    root = project(**{"handlers/audit.py": f"import requests\n{HANDLER}"})
    entry = root / "handlers" / "audit.py"
    assert own_files(code(entry, has_layers=True)) == ["audit.py"]
    entry.write_text(f"import handlers.gone\n{HANDLER}")
    with pytest.raises(SourceError, match=r"got handlers\.gone \(audit\.py, line 1\)"):
        code(entry, has_layers=True)


def test_a_relative_import_without_a_package_is_refused(project: Project) -> None:
    root = project(**{"audit/index.py": f"from .rules import x\n{HANDLER}", "audit/rules.py": ""})
    with pytest.raises(SourceError) as caught:
        code(root / "audit")
    assert str(caught.value).endswith(
        "got .rules (index.py, line 1; no package is above it, so write an absolute import)"
    )


def test_a_shared_module_is_no_link_out_of_the_project(project: Project, tmp_path: Path) -> None:
    root = project(**{"app/cdk.json": "{}", "app/audit.py": f"import common\n{HANDLER}"})
    (tmp_path / "common.py").write_text("")
    (root / "app" / "common.py").symlink_to(tmp_path / "common.py")
    with pytest.raises(SourceError, match=r"^a module of the project must be no link out of it"):
        code(root / "app" / "audit.py")


def test_the_same_files_make_the_same_asset_wherever_the_project_is(
    project: Project, tmp_path: Path
) -> None:
    files = {"handlers/audit.py": f"import handlers.common\n{HANDLER}", "handlers/common.py": ""}
    project(**{f"{where}/{name}": text for where in ("a", "b") for name, text in files.items()})
    for where in ("a", "b"):
        (tmp_path / where / "cdk.json").write_text("{}")
    first, second = (code(tmp_path / where / "handlers" / "audit.py") for where in ("a", "b"))
    assert first == second


def test_a_requirements_file_that_nobody_installs_is_pointed_out(project: Project) -> None:
    root = project(**{"audit/index.py": HANDLER, "audit/requirements.txt": "requests==2.32.5\n"})
    with pytest.raises(SourceError) as caught:
        code(root / "audit")
    assert str(caught.value) == (
        "requirements must be passed for an entry with a requirements.txt, got none; pass "
        f"requirements={str(root / 'audit' / 'requirements.txt')!r}, or "
        "exclude=['requirements.txt'] to ship without packages"
    )
