"""The sample's handlers as they ship, in Lambda's own runtime client, on every Python there is.

A Python counts when awslambdaric is installed for it: the running one, `python3.12` on the PATH, or
a virtual environment beside the running one that is named for it (`.venv` and `.venv3.12`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cdk_streams.errors import ToolError
from cdk_streams.lambda_local import DeployedFunction, FunctionRunner
from cdk_streams.lambda_local._interpreters import describe

pytestmark = pytest.mark.e2e

HANDLERS = Path(__file__).parents[2] / "sample_app" / "handlers"
STREAM_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-02T03:04:05.678"

OTHER_HANDLERS = """
import time
from lambda_runtime import Reject, Router

windows = Router()

@windows.window(initial={"orders": 0, "last": None})
def add(state, change):
    return {"orders": state["orders"] + 1, "last": change.new["total"]}

@windows.window_end
def end(state, window):
    print("window", window, state["orders"], state["last"])

window_handler = windows.handler

slow = Router()

@slow.insert
def take_long(change):
    time.sleep(0.4)

slow_handler = slow.handler

rejecting = Router()

@rejecting.insert
def reject(change):
    if change.keys["order_id"] == "o-2":
        raise Reject("no such product")

reject_handler = rejecting.handler
"""


class FakeAws(ThreadingHTTPServer):
    """DynamoDB, S3 and SQS as far as the handlers use them; keeps what it is sent, by operation."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _FakeAwsHandler)
        self.requests: list[tuple[str, bytes]] = []
        self.failing_text = b"\0"  # A request that contains it is answered with an error.

    @property
    def connection(self) -> dict[str, str]:
        """The variables by which boto3 in the function finds it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_MAX_ATTEMPTS": "1",
        }


class _FakeAwsHandler(BaseHTTPRequestHandler):
    server: FakeAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.requests.append((operation, body))
        if self.server.failing_text in body:
            self._answer(400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"})
        elif operation == "SendMessage":
            text = json.loads(body)["MessageBody"].encode()
            digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
            self._answer(200, {"MessageId": "m-1", "MD5OfMessageBody": digest})
        else:
            self._answer(200, {})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((f"PUT {self.path.partition('?')[0]}", body))
        self._answer(200, None)

    def _answer(self, status: int, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - Python's own name
        """Write nothing: requests are kept, not printed."""


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    with FakeAws() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session", params=["3.11", "3.12", "3.13", "3.14"])
def python(request: pytest.FixtureRequest) -> str:
    """An interpreter of each supported version that can run functions."""
    version: str = request.param
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    beside = f"{sys.prefix}{version}/bin/python"
    found = [sys.executable if version == running else beside, shutil.which(f"python{version}")]
    for command in filter(None, found):
        if not Path(command).exists():
            continue
        try:
            packages = {name for name, _ in describe(command).packages}
        except ToolError:  # A command that only says that this version is not chosen.
            continue
        if {"awslambdaric", "boto3"} <= packages:
            return command
    pytest.skip(f"Python {version} with awslambdaric and boto3 is not on this machine")


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the staged asset of each handler, as `cdk deploy` would upload it."""
    from cdk_streams.constructs._bundle import (  # noqa: PLC0415 - it starts CDK's Node process
        entry_files,
        runtime_package,
        staging,
    )

    folder = tmp_path_factory.mktemp("assets")
    other = folder / "other.py"
    other.write_text(OTHER_HANDLERS)
    for entry in (HANDLERS / "inventory.py", HANDLERS / "audit.py", other):
        files = entry_files.collect(entry)
        staging.write({**files, **runtime_package.runtime_files(files)}, folder / entry.stem)
    return folder


@pytest.fixture
def run(assets: Path, aws: FakeAws, python: str) -> Iterator[Any]:
    """`run("audit.handler", VARIABLE="1")` is the running function; it stops with the test."""
    running: list[FunctionRunner] = []

    def start(handler: str, timeout_s: float = 30, **variables: str) -> FunctionRunner:
        function = DeployedFunction(
            assets / handler.partition(".")[0], handler, environment=variables, timeout_s=timeout_s
        )
        running.append(FunctionRunner(function, connection=aws.connection, python=python))
        return running[-1]

    yield start
    for runner in running:
        runner.close()


def order(number: int, **new: Any) -> dict[str, Any]:
    """The insert of order `o-<number>` for one mug."""
    line = {"M": {"sku": {"S": "mug"}, "quantity": {"N": "1"}}}
    keys = {"order_id": {"S": f"o-{number}"}}
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_789_654_328.0,
            "Keys": keys,
            "NewImage": {**keys, "status": {"S": "PLACED"}, "lines": {"L": [line]}, **new},
            "SequenceNumber": str(3_800_002_862_244_222_465_263 + number),
            "SizeBytes": 61,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM_ARN,
    }


def orders(count: int) -> dict[str, Any]:
    return {"Records": [order(number) for number in range(1, count + 1)]}


PARTIAL = {"STOCK_TABLE": "stock", "STREAM_PARTIAL_RESPONSE": "1"}


def test_a_function_starts_cold_once_and_then_answers_warm(run: Any, aws: FakeAws) -> None:
    inventory = run("inventory.handler", **PARTIAL)

    cold, warm = inventory.invoke(orders(3)), inventory.invoke(orders(2))

    assert cold.payload == warm.payload == {"batchItemFailures": []}
    assert cold.init_s > 0
    assert warm.init_s == 0
    assert [operation for operation, _ in aws.requests] == ["TransactWriteItems"] * 5


def test_a_failed_record_is_named_and_nothing_behind_it_runs(run: Any, aws: FakeAws) -> None:
    aws.failing_text = b"order#o-2"

    answer = run("inventory.handler", **PARTIAL).invoke(orders(3))

    second = order(2)["dynamodb"]["SequenceNumber"]
    assert answer.function_error is None
    assert answer.payload == {"batchItemFailures": [{"itemIdentifier": second}]}
    assert not any(b"order#o-3" in body for _, body in aws.requests)


def test_without_partial_responses_the_invocation_fails(run: Any, aws: FakeAws) -> None:
    aws.failing_text = b"order#o-2"

    answer = run("inventory.handler", STOCK_TABLE="stock").invoke(orders(3))

    assert answer.function_error == "Unhandled"
    assert answer.error_type == "ThrottlingException"


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_the_line_of_a_failed_record_is_json_in_either_log_format(
    run: Any, aws: FakeAws, log_format: str
) -> None:
    aws.failing_text = b"order#o-1"

    answer = run("inventory.handler", AWS_LAMBDA_LOG_FORMAT=log_format, **PARTIAL).invoke(orders(1))

    (line,) = [line for line in answer.logs if "stream record failed" in line]
    fields = json.loads(line[line.index("{") :])
    assert fields["route"] == "placed"
    assert fields["sequence_number"] == order(1)["dynamodb"]["SequenceNumber"]
    assert any("in placed" in place or place.endswith(" placed") for place in fields["error_at"])
    assert "mug" not in "".join(answer.logs)


@pytest.mark.parametrize("handler", ["inventory.handler", "audit.handler"])
def test_an_event_that_is_no_stream_event_is_an_error_of_ours(run: Any, handler: str) -> None:
    answer = run(handler, STOCK_TABLE="stock", AUDIT_BUCKET="audit").invoke({"other": {}})

    assert (answer.function_error, answer.error_type) == ("Unhandled", "EventError")
    assert "expected a DynamoDB stream event" in answer.payload["errorMessage"]


def test_the_audit_trail_of_a_batch_is_one_object(run: Any, aws: FakeAws) -> None:
    answer = run("audit.handler", AUDIT_BUCKET="audit").invoke(orders(2))

    assert answer.function_error is None
    ((operation, body),) = aws.requests
    assert operation.startswith("PUT /audit/orders/2026/")
    assert body.count(b'"event":"INSERT"') == 2


def test_a_windows_state_survives_lambdas_client_with_all_its_digits(run: Any) -> None:
    windows = run("other.window_handler")
    exact = "1234567890123456789012345678901234567.8"
    window = {
        "shardId": "shardId-00000001789654273755-3d110129",
        "eventSourceARN": STREAM_ARN,
        "window": {"start": "2026-09-17T14:11:10Z", "end": "2026-09-17T14:11:20Z"},
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }

    first = windows.invoke({"Records": [order(1, total={"N": exact})], "state": {}, **window})
    state = first.payload["state"]
    closing = {**window, "isFinalInvokeForWindow": True}
    last = windows.invoke({"Records": [], "state": state, **closing})

    assert state == {"orders": {"N": "1"}, "last": {"N": exact}}
    assert last.payload == {"state": {}, "batchItemFailures": []}
    assert any(f"14:11:10Z) 1 {exact}" in line for line in last.logs)


def test_near_the_real_deadline_a_function_answers_before_lambda_ends_it(run: Any) -> None:
    slow = run("other.slow_handler", timeout_s=2, STREAM_PARTIAL_RESPONSE="1")
    started = time.monotonic()

    answer = slow.invoke(orders(20))

    assert answer.function_error is None
    ((failure,),) = answer.payload.values()
    handled = int(failure["itemIdentifier"]) - 3_800_002_862_244_222_465_263 - 1
    assert 1 <= handled <= 5
    assert time.monotonic() - started < 30  # Far from the 8 s of all records, on any machine.


def test_a_rejected_record_is_sent_with_the_runtimes_own_boto3(run: Any, aws: FakeAws) -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/111122223333/rejects"

    answer = run("other.reject_handler", STREAM_REJECT_QUEUE_URL=url).invoke(orders(3))

    assert answer.payload == {"batchItemFailures": []}
    ((operation, body),) = aws.requests
    message = json.loads(json.loads(body)["MessageBody"])
    assert operation == "SendMessage"
    assert (message["reason"], message["record"]) == ("no such product", order(2))
    assert message["functionName"] == "function"
    assert message["functionArn"].endswith(":function:function")
