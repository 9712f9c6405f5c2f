"""Who may import whom, and how large a thing may be: the shape of the project, kept by test."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("lambda_runtime", "cdk_streams", "sample_app", "conformance")
# The first layer of cdk_streams, downwards: each may import those before it.
LAYER_1 = (
    "cdk_streams._documentation",
    "cdk_streams._extras",
    "cdk_streams._lazy",
    "cdk_streams._managed_runtime",
    "cdk_streams.errors",
    "cdk_streams._argument_checks",
    "cdk_streams.arns",
    "cdk_streams.filters",
    "cdk_streams.mapping",
    "cdk_streams.poller",
    "cdk_streams.template",
    "cdk_streams.checks",
)
# Of cdk_streams and of other people's packages: what a folder may import, besides itself and the
# standard library. The first prefix that fits a module is its row.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "lambda_runtime": ("boto3", "botocore"),
    # YAML comes with an extra.
    "cdk_streams.template._yaml": ("cdk_streams.template", "yaml"),
    **{layer: LAYER_1[:place] for place, layer in enumerate(LAYER_1)},
    # Shipped to Lambda, imported by nobody.
    "cdk_streams.constructs._lookup.handler": ("boto3",),
    # The same: handlers that a construct ships.
    "cdk_streams.constructs._handlers": ("lambda_runtime",),
    # jsii is how Python implements an interface of CDK.
    "cdk_streams.constructs": (*LAYER_1, "aws_cdk", "constructs", "jsii", "pathspec"),
    "cdk_streams.simulator": (*LAYER_1, "lambda_runtime", "pytest"),
    "cdk_streams._lifeline": (),
    "cdk_streams._loopback": (),
    "cdk_streams._ports": (),
    "cdk_streams._signals": (),
    "cdk_streams.lambda_local": (
        *LAYER_1,
        "cdk_streams._lifeline",
        "cdk_streams._loopback",
        "_lifeline",
        "lambda_runtime",
        "boto3",
        "botocore",
        "awslambdaric",
    ),
    "cdk_streams.testing": (
        *LAYER_1,
        "lambda_runtime",
        "botocore",
        "syrupy",
        "cdk_streams.capacity",
        "cdk_streams.simulator",
    ),
    "cdk_streams.live": (
        *LAYER_1,
        "cdk_streams._signals",
        "cdk_streams.lambda_local",
        "lambda_runtime",
        "boto3",
        "botocore",
    ),
    "cdk_streams.redrive": (
        *LAYER_1,
        "cdk_streams.lambda_local",
        "cdk_streams.live",
        "lambda_runtime",
        "boto3",
        "botocore",
    ),
    "cdk_streams.local": (
        *LAYER_1,
        "cdk_streams._lifeline",
        "cdk_streams._ports",
        "cdk_streams._signals",
        "cdk_streams.lambda_local",
        "cdk_streams.live",
        "cdk_streams.redrive",
        "lambda_runtime",
        "watchfiles",
        "boto3",
        "botocore",
    ),
    "cdk_streams.status": (*LAYER_1, "cdk_streams.live", "cdk_streams.redrive"),
    "cdk_streams.capacity": LAYER_1,
    "cdk_streams.data": (*LAYER_1, "lambda_runtime"),
    "cdk_streams.analysis": (*LAYER_1, "cdk_streams.capacity", "cdk_streams.simulator"),
    "cdk_streams.cli": (
        *LAYER_1,
        "cdk_streams.analysis",
        "cdk_streams.capacity",
        "cdk_streams.simulator",
        "cdk_streams._signals",
        "cdk_streams.data",
        "cdk_streams.lambda_local",
        "cdk_streams.live",
        "cdk_streams.local",
        "cdk_streams.redrive",
        "cdk_streams.status",
        "lambda_runtime",
        "click",
        "rich",
        "matplotlib",
        "boto3",
        "botocore",
    ),
    # The public names: each is imported from its home when it is first used.
    "cdk_streams": (*LAYER_1, "cdk_streams.constructs"),
    "sample_app.handlers": ("lambda_runtime", "boto3", "botocore"),
    "sample_app.fakes": ("lambda_runtime", "botocore"),
    "sample_app.demo": ("cdk_streams", "boto3", "botocore", "rich"),
    "sample_app": ("cdk_streams", "aws_cdk", "constructs", "lambda_runtime"),
    # Deployed with the handler of the scenarios, and imported by nobody.
    "conformance.handler": ("tests.bench.scenario_handler",),
    # The scenarios are those of the tests.
    "conformance": (
        *("cdk_streams", "lambda_runtime", "tests.bench"),
        *("aws_cdk", "constructs", "boto3", "botocore"),
    ),
}
# What every function of ours loads at a cold start, and what it must not: boto3 costs 100 ms and
# more, the others some milliseconds each.
COLD_START = ("lambda_runtime", "lambda_runtime._routing.router", "lambda_runtime._changes.parsing")
DEAR = ("boto3", "botocore", "dataclasses", "typing", "inspect")
# For a type checker's eyes alone: stubs, and names that are not loaded.
TYPES_ONLY = ("mypy_boto3_", "_typeshed", "typing_extensions")
# Private modules that another package may import, and why.
PRIVATE_IMPORTS = {
    (
        "cdk_streams.cli",
        "cdk_streams.simulator._timeline",
    ): "a live run is drawn as a simulated one",
    ("cdk_streams.constructs", "cdk_streams.checks._resource_facts"): (
        "the facts of a synthesized resource are those of a template's"
    ),
    ("cdk_streams.testing", "cdk_streams.simulator._dynamodb"): (
        "the fake DynamoDB is the simulator's table behind boto3's methods"
    ),
    ("cdk_streams.testing", "cdk_streams.simulator._records"): "the same start of virtual time",
}
# Module names that recur in cdk_streams because each package's own says which is meant.
RECURRING_NAMES = {
    "checkpoints": "poller: the position of a shard; live: the file that keeps them",
    "command": "cli: the command line of a subcommand that has a folder of its own",
    "conditions": "filters: tests of a record; template: Fn::If and Conditions",
    "consumer": "constructs: the construct; simulator: a consumer of a world",
    "destinations": "live: clients that send; template: what OnFailure names",
    "driver": "simulator: in virtual time; live: on a real stream",
    "events": "poller: what happened; simulator/_timeline: what is shown",
    "function": "constructs: the construct; lambda_local: a deployed function",
    "functions": "simulator: handlers that run; template: AWS::Lambda::Function",
    "records": "simulator: stream records made by hand; forwarding: targets that take records",
    "replica": "constructs: the construct and the handler that it ships",
    "shards": "poller: a shard that is read; simulator/_dynamodb: one that is written",
    "state": "poller: of the machine; simulator/_engine: of a simulation",
    "table": "constructs: the construct; simulator/_dynamodb: a table in memory",
    "target": "constructs: what a forwarder, or a replica, writes to",
    "tables": "simulator/_dynamodb: those of a world; template: AWS::DynamoDB::Table",
}
MAX_MODULES = 15
NO_SUCH_MODULE = {"utils", "util", "common", "base", "helpers", "helper", "types", "misc", "core"}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path, *, at_import: bool = False) -> Iterator[str]:
    """Yield every module that a file imports; `at_import`: those that importing it loads."""
    nodes: list[ast.AST] = [tree_of(path)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = ".".join(filter(None, [*_above(path, node.level), node.module]))
            yield from (f"{home}.{alias.name}" for alias in node.names)
        if at_import and (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        ):
            continue
        nodes.extend(ast.iter_child_nodes(node))


def _above(path: Path, level: int) -> list[str]:
    """Return what a relative import's dots stand for: the package that many folders up."""
    folders = path.relative_to(ROOT).parent.parts
    return list(folders[: len(folders) - level + 1]) if level else []


def within(module: str, *prefixes: str) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def _home(name: str, modules: Mapping[str, Path]) -> str | None:
    """Return the module of `from package.module import name`; the name may be one itself."""
    above = name.rpartition(".")[0]
    return name if name in modules else above if above in modules else None


def row_of(module: str) -> str:
    return next(prefix for prefix in MAY_IMPORT if within(module, prefix))


def is_foreign(module: str) -> bool:
    top = module.split(".", maxsplit=1)[0]
    return top not in sys.stdlib_module_names and not module.startswith(TYPES_ONLY)


@pytest.mark.parametrize("path", files(), ids=module_of)
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    row = row_of(module_of(path))
    # `from cdk_streams import X` loads X's home, whose layer counts, not the package's.
    refused = {
        name
        for name in imports(path)
        if is_foreign(name) and not within(name, row, *MAY_IMPORT[row])
    }
    assert refused == set()


def test_a_cold_start_loads_nothing_dear() -> None:
    modules = {module_of(path): path for path in files() if within(module_of(path), COLD_START[0])}
    reached: set[str] = set()
    ahead = list(COLD_START)
    while ahead:
        module = ahead.pop()
        if module in reached:
            continue
        reached.add(module)
        loaded = set(imports(modules[module], at_import=True))
        assert [name for name in loaded if within(name, *DEAR)] == [], module
        ahead += {home for name in loaded if (home := _home(name, modules))}
    assert set(COLD_START) < reached


def test_folders_do_not_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {row: set() for row in MAY_IMPORT}
    for path in files():
        row = row_of(module_of(path))
        ours = {row_of(name) for name in imports(path) if within(name, *PACKAGES)}
        # The package's own names are lazy: they depend on every home, and nobody on them inside.
        graph[row] |= ours - {row}
    assert set(TopologicalSorter(graph).static_order()) == set(MAY_IMPORT)


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_do_not_import_each_other_in_a_circle(package: str) -> None:
    """Not for type checkers alone either: TYPE_CHECKING hides a circle, it does not open it."""
    modules = {module_of(path): path for path in files() if within(module_of(path), package)}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        # A facade names all of its package for type checkers, and loads it when it is used.
        loaded = set(imports(path, at_import=path.name == "__init__.py"))
        graph[module] = {home for name in loaded if (home := _home(name, modules))} - {module}
    assert set(TopologicalSorter(graph).static_order()) >= set(modules)


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2]) if within(module, "cdk_streams") else module


def _private_imports(path: Path) -> Iterator[str]:
    """Yield the private modules of other packages that a file imports."""
    importer = module_of(path)
    for name in imports(path):
        parts = name.split(".")
        private = next((n for n, part in enumerate(parts) if part.startswith("_")), None)
        if private is None or not within(name, *PACKAGES):
            continue
        owner = parts[:private]
        own = importer.split(".")[: max(len(owner), 1)] == owner
        if not own and package_of(importer) != package_of(".".join(owner)):
            yield ".".join(parts[: private + 1])


def test_no_module_imports_a_private_module_of_another_package() -> None:
    found = {
        (next((p for p, _ in PRIVATE_IMPORTS if within(module_of(path), p)), module_of(path)), name)
        for path in files()
        for name in _private_imports(path)
    }
    assert found - PRIVATE_IMPORTS.keys() == set()
    assert PRIVATE_IMPORTS.keys() - found == set(), "no longer needed"


def test_a_module_has_a_name_of_its_own_or_a_folder_that_tells_which() -> None:
    names = [
        path.stem.lstrip("_")
        for path in files()
        if within(module_of(path), "cdk_streams") and not path.stem.startswith("__")
    ]
    recurring = {name for name in names if names.count(name) > 1}
    assert recurring - RECURRING_NAMES.keys() == set()
    assert RECURRING_NAMES.keys() - recurring == set(), "no longer needed"


def test_a_folder_holds_few_modules() -> None:
    folders = [path.parent for path in files() if path.name != "__init__.py"]
    assert {
        str(each.relative_to(ROOT)): folders.count(each)
        for each in folders
        if folders.count(each) > MAX_MODULES
    } == {}


@pytest.mark.parametrize("path", files(), ids=module_of)
def test_a_file_is_small_and_named_for_its_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    assert {*module_of(path).split(".")} & NO_SUCH_MODULE == set()


@pytest.mark.parametrize("path", files(), ids=module_of)
def test_a_function_fits_a_screen(path: Path) -> None:
    """Its body, that is: a signature with a keyword a setting and its docstring are read apart."""
    long = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[ast.get_docstring(node) is not None :]
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > MAX_FUNCTION_LINES:
                long.append(f"{node.name}: {lines} lines")
    assert long == []
