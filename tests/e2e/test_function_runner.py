"""A real handler in a real process under awslambdaric, through everything that can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from cdk_streams.lambda_local import DeployedFunction, FunctionRunner, InvokeResponse, LogLine

pytestmark = pytest.mark.e2e

HANDLER = """
import logging, os, subprocess, sys, threading, time
print("importing")
calls = 0
both = threading.Event()

def handler(event, context):
    global calls
    calls += 1
    do = event.get("do")
    print("handling", do)
    if do == "raise":
        raise ValueError("bad record")
    if do == "hang":
        time.sleep(600)
    if do == "leave a child":
        print("child", subprocess.Popen(["sleep", "600"]).pid)
        time.sleep(600)
    if do == "leave a daemon":
        daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print("child", daemon.pid, flush=True)
        if event["hang"]:
            time.sleep(600)
        return daemon.pid
    if do == "fork and answer twice":
        print("forked", os.fork())
        return {"event": event["number"]}
    if do == "exit":
        os._exit(event["status"])
    if do == "allocate":
        return len(b"x" * event["bytes"])
    if do == "answer bytes":
        return b"\\xff"
    if do == "read input":
        return sys.stdin.read()
    if do == "import":
        __import__(event["name"])
    if do == "overlap":
        open(event["mine"], "w").close()
        while not os.path.exists(event["other"]):
            time.sleep(0.005)
    return {"calls": calls, "pid": os.getpid(), "request": context.aws_request_id,
            "arn": context.invoked_function_arn, "cwd": os.getcwd(),
            "left_ms": context.get_remaining_time_in_millis(),
            "mode": os.environ.get("MODE"), "memory": context.memory_limit_in_mb}
"""


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    folder = tmp_path / "asset"
    folder.mkdir()
    (folder / "audit.py").write_text(HANDLER)
    return folder


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and is not yet waited for does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def one(asset: Path, event: dict[str, object], **settings: object) -> InvokeResponse:
    function = DeployedFunction(asset, "audit.handler", **settings)  # type: ignore[arg-type] # a test's own keywords
    with FunctionRunner(function) as run:
        return run.invoke(event, "r-1")


def test_a_process_starts_once_and_is_used_again(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler")) as run:
        first, second = run.invoke({}), run.invoke({})
    assert (first.payload["calls"], second.payload["calls"]) == (1, 2)
    assert first.payload["pid"] == second.payload["pid"]
    assert first.init_s > 0
    assert second.init_s == 0


def test_the_context_is_the_deployed_functions(asset: Path) -> None:
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:audit:live"
    answer = one(
        asset, {}, arn=arn, memory_mb=256, timeout_s=60, environment={"MODE": "strict"}
    ).payload
    assert answer["request"] == "r-1"
    assert answer["arn"] == arn
    assert answer["memory"] == "256"
    assert answer["mode"] == "strict"
    assert answer["cwd"] == str(asset)
    assert 0 < answer["left_ms"] <= 60_000


def test_an_exception_is_an_unhandled_function_error(asset: Path) -> None:
    answer = one(asset, {"do": "raise"})
    assert (answer.function_error, answer.error_type) == ("Unhandled", "ValueError")
    assert answer.payload["errorMessage"] == "bad record"
    assert "[ERROR] ValueError: bad record" in answer.logs


def test_a_handler_that_hangs_is_ended_at_its_timeout(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=0.3)) as run:
        pid = run.invoke({}).payload["pid"]
        answer = run.invoke({"do": "hang"}, "r-2")
        assert answer.error_type == "Sandbox.Timedout"
        assert answer.payload["errorMessage"] == (
            "RequestId: r-2 Error: Task timed out after 0.30 seconds"
        )
        assert not alive(pid)
        assert run.invoke({}).payload["calls"] == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (3, "Runtime exited with error: exit status 3"),
        (0, "Runtime exited without providing a reason"),
    ],
)
def test_a_process_that_exits_is_an_error_and_the_next_event_starts_another(
    asset: Path, status: int, reason: str
) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler")) as run:
        answer = run.invoke({"do": "exit", "status": status}, "r-1")
        assert answer.error_type == "Runtime.ExitError"
        assert answer.payload["errorMessage"] == f"RequestId: r-1 Error: {reason}"
        assert run.invoke({}).payload["calls"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured through Linux's /proc")
def test_memory_beyond_the_limit_is_an_error_even_for_a_moment(asset: Path) -> None:
    answer = one(asset, {"do": "allocate", "bytes": 200_000_000}, memory_mb=128, timeout_s=30)
    assert answer.error_type == "Runtime.OutOfMemory"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    within = one(asset, {"do": "allocate", "bytes": 50_000_000}, memory_mb=128, timeout_s=30)
    assert within.payload == 50_000_000


def test_a_handler_that_cannot_be_imported_fails_each_event(asset: Path) -> None:
    (asset / "audit.py").write_text("import nothing_of_that_name")
    with FunctionRunner(DeployedFunction(asset, "audit.handler")) as run:
        for _ in range(2):
            answer = run.invoke({})
            assert answer.error_type == "Runtime.ImportModuleError"
            assert "nothing_of_that_name" in answer.payload["errorMessage"]


def test_a_dependency_that_is_not_in_the_asset_is_missing_as_on_lambda(asset: Path) -> None:
    answer = one(asset, {"do": "import", "name": "pytest"})
    assert answer.error_type == "ModuleNotFoundError"
    assert one(asset, {"do": "import", "name": "botocore"}, timeout_s=60).function_error is None


def test_an_answer_that_is_no_json_is_kept_as_it_is(asset: Path) -> None:
    assert one(asset, {"do": "answer bytes"}).body == b"\xff"


def test_a_handlers_standard_input_is_empty(asset: Path) -> None:
    assert one(asset, {"do": "read input"}).payload == ""


def test_logs_come_with_their_request(asset: Path) -> None:
    lines: list[LogLine] = []
    function = DeployedFunction(asset, "audit.handler", name="audit")
    with FunctionRunner(function, on_log=lines.append) as run:
        assert run.invoke({"do": 1}, "r-1").logs == ("importing", "handling 1")
        assert run.invoke({"do": 2}, "r-2").logs == ("handling 2",)
    assert lines == [
        LogLine("audit", "", "importing"),
        LogLine("audit", "r-1", "handling 1"),
        LogLine("audit", "r-2", "handling 2"),
    ]


def test_changed_source_is_run_by_the_next_event(asset: Path) -> None:
    function = DeployedFunction(asset, "audit.handler")
    with FunctionRunner(function, look_at_source_s=0) as run:
        pid = run.invoke({}).payload["pid"]
        (asset / "audit.py").write_text("def handler(event, context): return 'fixed'")
        assert run.invoke({}).payload == "fixed"
        assert not alive(pid)


def test_a_new_deployment_is_run_by_the_next_event(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler")) as run:
        assert run.invoke({}).payload["mode"] is None
        run.use(DeployedFunction(asset, "audit.handler", environment={"MODE": "new"}))
        assert run.invoke({}).payload["mode"] == "new"


def test_nothing_is_written_into_the_asset(asset: Path) -> None:
    one(asset, {})
    assert [path.name for path in asset.rglob("*")] == ["audit.py"]


def test_a_zip_file_and_its_layers_run_like_folders(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "prices.py").write_text("BOOK = 12")
    archive = tmp_path / "asset.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("shop/audit.py", "import prices\ndef handler(e, c): return prices.BOOK")
    function = DeployedFunction(archive, "shop/audit.handler", layers=(layer,))
    with FunctionRunner(function) as run:
        assert run.invoke({}).payload == 12


def test_events_at_the_same_time_have_processes_of_their_own(asset: Path, tmp_path: Path) -> None:
    marks = [str(tmp_path / "one"), str(tmp_path / "two")]
    answers: list[InvokeResponse] = []
    with FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=30)) as run:
        threads = [
            threading.Thread(
                target=lambda mine=mine, other=other: answers.append(
                    run.invoke({"do": "overlap", "mine": mine, "other": other})
                )
            )
            for mine, other in (marks, marks[::-1])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({answer.payload["pid"] for answer in answers}) == 2


def test_a_reserved_concurrency_of_none_at_all_throttles(asset: Path) -> None:
    answer = one(asset, {}, reserved_concurrency=0)
    assert answer.throttled
    assert answer.function_error is None


def test_close_leaves_no_process_and_no_folder(
    asset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with FunctionRunner(DeployedFunction(asset, "audit.handler")) as run:
        pid = run.invoke({}).payload["pid"]
        assert list(scratch.iterdir())
    assert not alive(pid)
    assert list(scratch.iterdir()) == []


def test_what_a_function_started_ends_with_it(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=0.5)) as run:
        printed = run.invoke({"do": "leave a child"}).logs[-1]
    assert printed.startswith("child ")
    assert not alive(int(printed.removeprefix("child ")))


def test_what_left_the_functions_process_group_ends_with_it_too(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=0.5)) as run:
        hung = run.invoke({"do": "leave a daemon", "hang": True}).logs[-1]
        assert not alive(int(hung.removeprefix("child ")))
        answered = run.invoke({"do": "leave a daemon", "hang": False}).payload
        assert alive(answered)
    assert not alive(answered)


def test_an_event_is_never_answered_by_the_answer_to_another(asset: Path) -> None:
    with FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=30)) as run:
        for number in range(6):
            answer = run.invoke({"do": "fork and answer twice", "number": number})
            # Of the two processes the slower one is refused, which may end the environment.
            if answer.function_error is None:
                assert answer.payload == {"event": number}


DRIVER = """
import sys
from pathlib import Path
from cdk_streams.lambda_local import DeployedFunction
from cdk_streams.lambda_local import FunctionRunner
run = FunctionRunner(DeployedFunction(Path(sys.argv[1]), "audit.handler", timeout_s=600))
print(run.invoke({"do": "leave a daemon", "hang": False}).payload, flush=True)
print(run.invoke({}).payload["pid"], flush=True)
run.invoke({"do": "hang"})
"""


def test_a_killed_driver_takes_its_functions_with_it(asset: Path, tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    driver = subprocess.Popen(  # noqa: S603 - this Python and the text above
        [sys.executable, "-c", DRIVER, str(asset)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(tmp_path)},
    )
    with driver:
        assert driver.stdout is not None
        daemon, pid = int(driver.stdout.readline()), int(driver.stdout.readline())
        driver.send_signal(signal.SIGKILL)
    wait_for_end = threading.Event()
    for _ in range(200):
        if not (alive(pid) or alive(daemon)):
            break
        wait_for_end.wait(0.05)
    assert not alive(pid)
    assert not alive(daemon)


def test_close_ends_an_invocation_that_is_under_way(asset: Path, tmp_path: Path) -> None:
    run = FunctionRunner(DeployedFunction(asset, "audit.handler", timeout_s=600))
    mine, never = tmp_path / "mine", tmp_path / "never"
    answers: list[InvokeResponse] = []
    event = {"do": "overlap", "mine": str(mine), "other": str(never)}
    thread = threading.Thread(target=lambda: answers.append(run.invoke(event)))
    thread.start()
    started = threading.Event()
    while not mine.exists():
        started.wait(0.01)
    run.close()
    thread.join(10)
    assert [answer.error_type for answer in answers] == ["Runtime.ExitError"]
