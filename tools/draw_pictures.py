"""Write docs/pictures: what the simulator did with a few records, drawn as SVG.

Run it as `make pictures`; a test compares the files with what it would write. Which record is in
which invocation, and how each ends, is the simulator's answer.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cdk_streams.mapping import ViewType  # noqa: E402 - the same
from cdk_streams.simulator import (  # noqa: E402 - run as a script, it has no package
    NO_FAULTS,
    Invocation,
    MappingSettings,
    Run,
    TableStream,
    World,
    in_order,
    insert,
    modify,
    simulate,
)
from cdk_streams.testing import FakeDynamoDB, RequestFailed  # noqa: E402 - the same
from lambda_runtime.replication import Replica, Settings  # noqa: E402 - the same
from tools import terminal_picture  # noqa: E402 - the same
from tools.svg_picture import Picture  # noqa: E402 - the same

FOLDER = ROOT / "docs" / "pictures"
POISON = "3"
Handler = Callable[[dict[str, Any], Any], Any]
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("Lambda's defaults", {}),
    ("retry_attempts=2", {"retry_attempts": 2}),
    (
        "retry_attempts=2, bisect_batch_on_error=True",
        {"retry_attempts": 2, "bisect_batch_on_error": True},
    ),
    (
        "the same and report_batch_item_failures=True",
        {"retry_attempts": 2, "bisect_batch_on_error": True, "report_batch_item_failures": True},
    ),
]


def records(count: int, every: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    """Return inserts of the items 1, 2, ..., one after the other."""
    start = 1_700_000_000
    return list(
        in_order(
            *(
                insert({"id": str(n)}, keys="id", at=start + n * every.total_seconds())
                for n in range(1, count + 1)
            )
        )
    )


def label(record: dict[str, Any]) -> str:
    """Return the id of a record's item."""
    return str(record["dynamodb"]["Keys"]["id"]["S"])


def raises(event: dict[str, Any], _context: Any) -> None:
    """Fail on the poison record, and so with the whole batch."""
    if POISON in map(label, event["Records"]):
        raise ValueError("a poison record")


def reports(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Fail on the poison record and report it."""
    failed = [each for each in event["Records"] if label(each) == POISON]
    numbers = [each["dynamodb"]["SequenceNumber"] for each in failed]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


class Row:
    """The records of a run by their sequence numbers, and rows of its invocations."""

    def __init__(self, given: list[dict[str, Any]]) -> None:
        self.labels = {each["dynamodb"]["SequenceNumber"]: label(each) for each in given}

    def of(self, invocation: Invocation) -> list[tuple[str, str]]:
        """Return the cells of an invocation; those it left unhandled have another kind."""
        inside = [self.labels[number] for number in invocation.sequence_numbers]
        handled = set(inside) if invocation.outcome == "handled" else set()
        if invocation.outcome == "partial":
            handled = set(inside[: inside.index(POISON)])
        return [
            (name, "" if name not in inside else _kind(name, handled))
            for name in self.labels.values()
        ]


def _kind(name: str, handled: set[str]) -> str:
    return "handled" if name in handled else "failed" if name == POISON else "left"


def outcome(run: Run, place: int) -> str:
    """Return how an invocation ended, with its time."""
    one = run.invocations[place]
    seconds = f"{one.at.total_seconds():g} s"
    ends = {"handled": "all handled", "partial": f"reports {POISON}", "failed": "fails"}[
        one.outcome
    ]
    return f"{seconds}: {ends}" if one.attempt == 1 else f"{seconds}: retry {ends}"


def handled_in(run: Run, row: Row) -> int:
    """Return how many records a run has handled."""
    return len({n for one in run.invocations for n, kind in row.of(one) if kind == "handled"})


def poison_record() -> str:
    """Draw the same six records under four settings."""
    picture = Picture(
        "A poison record under four settings",
        "Record 3 of six fails on every attempt. Each row is an invocation.",
    )
    picture.note("Each row is one invocation. Green records are handled, red")
    picture.note("record 3 fails, and yellow ones are given back with it.")
    given = records(6)
    row = Row(given)
    for number, (title, settings) in enumerate(SETTINGS, start=1):
        handler: Handler = reports if "report_batch_item_failures" in settings else raises
        run = simulate(handler, given, settings=MappingSettings(batch_size=6, **settings))
        picture.gap()
        picture.heading(f"{number}. {title}")
        shown = min(len(run.invocations), 9)
        if not settings:
            shown = 3
        for place in range(shown):
            picture.cells(row.of(run.invocations[place]), outcome(run, place))
        if shown < len(run.invocations):
            last = run.invocations[-1].at
            hours = round(last.total_seconds() / 3600)
            attempts = len(run.invocations)
            picture.note(f"… {attempts:,} attempts in {hours} hours; the records behind wait")
        handled = handled_in(run, row)
        picture.note(f"→ {handled} handled, {6 - handled} discarded, {_kept(run)}")
    return picture.svg()


def _kept(run: Run) -> str:
    count = len(run.failures)
    return "no failure record" if not count else f"{count} failure record" + "s" * (count > 1)


def partial_batch_response() -> str:
    """Draw a report of a record that fails once."""
    calls = 0

    def once(event: dict[str, Any], context: Any) -> Any:
        nonlocal calls
        calls += 1
        return reports(event, context) if calls == 1 else {"batchItemFailures": []}

    picture = Picture(
        "A partial batch response",
        "The function reports record 3; Lambda calls it again from that record on.",
    )
    given = records(6)
    row = Row(given)
    settings = MappingSettings(batch_size=6, report_batch_item_failures=True)
    run = simulate(once, given, settings=settings)
    picture.note("Record 3 fails once. The function answers:")
    picture.note('{"batchItemFailures": [{"itemIdentifier": "<number of 3>"}]}')
    picture.gap(4)
    for place, one in enumerate(run.invocations):
        picture.cells(row.of(one), outcome(run, place))
    picture.note("What stands before the reported record is settled;")
    picture.note("the report and all records behind it come again.")
    return picture.svg()


def view_types() -> str:
    """Draw which parts a record has under each view type."""
    picture = Picture(
        "What a stream record holds",
        "Keys, new image and old image of a modified item under the four view types.",
    )
    picture.note('Item 7 changes: status "NEW" becomes "PAID".')
    rows: list[list[tuple[str, str]]] = [
        [("", ""), ("Keys", ""), ("OldImage", ""), ("NewImage", "")]
    ]
    views: tuple[ViewType, ...] = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
    for view in views:
        stream = TableStream(table="Orders", keys=("id",), view_type=view)
        old, new = {"id": "7", "status": "NEW"}, {"id": "7", "status": "PAID"}
        held = modify(old, new, stream=stream)["dynamodb"]
        cells: list[tuple[str, str]] = [(view, "")]
        for part in ("Keys", "OldImage", "NewImage"):
            image = held.get(part, {})
            status = image.get("status", {}).get("S")
            cells.append((f"7 {status}" if status else "7", "handled") if image else ("-", ""))
        rows.append(cells)
    picture.table(rows, (150, 38, 88, 90))
    return picture.svg()


def shards_and_lanes() -> str:
    """Draw a shard that is split, and the lanes of a parallelization factor of 2."""
    picture = Picture(
        "Shards, lanes and a split",
        "A parent shard is read to its end before its two children; lanes run side by side.",
    )
    picture.note("Each bar is one invocation of 2 s; time runs to the right.")
    given = records(12)
    shards = {"parent": given[:4], "child A": given[4:8], "child B": given[8:]}
    names = Row(given).labels
    for factor in (1, 2):
        picture.gap(4)
        picture.heading(f"parallelization_factor={factor}")
        lanes = _lanes(_split(shards, factor, batch_size=len(given)), factor)
        run = _split(shards, factor, batch_size=2)
        whole = max(one.at + one.took for one in run.invocations)
        rows: dict[str, list[tuple[float, float, str]]] = {row: [] for row in lanes.values()}
        for one in run.invocations:
            text = ", ".join(names[number] for number in one.sequence_numbers)
            lane = lanes[one.sequence_numbers[0]]
            rows[lane].append((one.at / whole, one.took / whole, text))
        for lane, spans in sorted(rows.items(), key=lambda row: (row[0][:6] != "parent", row[0])):
            picture.spans(spans, "handled", lane)
    picture.note("The children of a split wait for their parent's last record.")
    picture.note("All changes of an item are in one lane.")
    return picture.svg()


def _split(shards: dict[str, list[dict[str, Any]]], factor: int, batch_size: int) -> Run:
    settings = MappingSettings(batch_size=batch_size, parallelization_factor=factor)
    parents = {"child A": ["parent"], "child B": ["parent"]}
    return simulate(
        lambda _event, _context: None, shards, settings=settings, parents=parents, duration=2
    )


def _lanes(run: Run, factor: int) -> dict[str, str]:
    """Return the lane of each record, of a run in which a lane's records fit one invocation."""
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for one in run.invocations:
        seen[one.shard_id] += 1
        lane = f"{one.shard_id}, lane {seen[one.shard_id]}" if factor > 1 else one.shard_id
        found |= dict.fromkeys(one.sequence_numbers, lane)
    return found


def tumbling_window() -> str:
    """Draw invocations of windows of 10 s, their state and the closing calls."""
    picture = Picture(
        "A tumbling window of 10 seconds",
        "Each invocation gets the state of the one before; a closing call ends the window.",
    )
    picture.note("The function counts records, and its answer has the state.")
    seen: list[tuple[list[str], int, int, bool]] = []

    def count(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        before = int(event["state"].get("count", 0))
        after = before + len(event["Records"])
        final = event["isFinalInvokeForWindow"]
        seen.append(([label(each) for each in event["Records"]], before, after, final))
        return {"state": {"count": after}, "batchItemFailures": []}

    given = records(5, timedelta(seconds=3))
    settings = MappingSettings(batch_size=2, tumbling_window=10)
    simulate(count, given, settings=settings, closed=True)
    for inside, before, after, final in seen:
        if final:
            picture.cells([("Σ", "box")], f"closing call with state {before}", places=3)
            picture.gap(6)
        else:
            cells = [(name, "handled") for name in inside]
            picture.cells(cells, f"state {before} → {after}", places=3)
    return picture.svg()


def whole_path() -> str:
    """Draw the path of six changes, one of which fails, from the table to the failure queue."""
    given = records(6)
    row = Row(given)
    settings = MappingSettings(batch_size=6, **SETTINGS[3][1])
    run = simulate(reports, given, settings=settings)
    handled = handled_in(run, row)
    picture = Picture(
        "From a change to its consumer",
        "Table, stream, event source mapping, function, and the on-failure destination.",
    )
    picture.box("DynamoDB table", f"{len(given)} items are written")
    picture.arrow("each change, in order within its item")
    picture.box("Stream: shards", "keeps stream records for 24 hours")
    picture.arrow("batches, one at a time in each lane of a shard")
    picture.box("Event source mapping", "filters, batches, retries, bisects, keeps a checkpoint")
    picture.arrow(f"{len(run.invocations)} invocations")
    picture.box("Function", f"{handled} records are handled", "handled")
    picture.arrow(f"record {POISON} has failed on its last retry")
    picture.box(
        "On-failure destination: queue, topic or bucket",
        f"{_kept(run)}, which names {len(given) - handled} stream record",
        "failed",
    )
    picture.arrow("cdk-streams redrive")
    picture.box("Function", "invoked again with the record, once corrected")
    return picture.svg()


class _ThrottledOnce(FakeDynamoDB):
    """A target that throttles the first write of a paid order."""

    throttled = False

    def put_item(self, **request: Any) -> Any:
        if not self.throttled and request["Item"]["status"] == {"S": "PAID"}:
            self.throttled = True
            raise RequestFailed("ThrottlingException")
        return super().put_item(**request)


def replica() -> str:
    """Draw the item of a table and of its replica, while a write is throttled and one is late."""
    world = World(faults=NO_FAULTS)
    orders = world.table("Orders", keys=("id",))
    target = _ThrottledOnce({"Copy": ("id",)})
    copy = Replica(Settings(table="Copy", keys=("id",), concurrency=1), client=target)
    rows: list[tuple[str, str]] = []

    def show(event: str) -> None:
        held = [source[0]["status"] if source else "-" for source in (orders.items(), items())]
        begin = f"{(world.now - start).total_seconds():g} s: {event}"
        rows.append((begin, "/".join(held)))

    def items() -> list[dict[str, Any]]:
        return target.items("Copy")

    start = world.now

    def write(status: str) -> None:
        orders.put({"id": "7", "status": status})
        show(f"{status} is written")

    def handler(event: dict[str, Any], context: Any) -> Any:
        with redirect_stderr(StringIO()):  # the runtime's log line of the failure
            answer = copy.handler(event, context)
        failed = bool(answer["batchItemFailures"])
        show("a write is throttled" if failed else "the replica has written")
        return answer

    settings = MappingSettings(report_batch_item_failures=True, retry_attempts=2)
    consumer = world.consumer("replica", handler, table=orders, settings=settings)
    for number, status in enumerate(("NEW", "PAID", "SENT")):
        world.call_after(timedelta(seconds=2 * number), partial(write, status))
    with world:
        world.run()
    first, *_ = consumer.records("handled")
    copy.handler({"Records": [first]}, None)
    show("NEW once more, by a redrive")
    return _replica_picture(rows)


def _replica_picture(rows: list[tuple[str, str]]) -> str:
    picture = Picture(
        "A replica converges",
        "Item 7 in the table and in its replica; what comes late or twice changes nothing.",
    )
    picture.note("Item 7 in the table and in its replica. Yellow is behind.")
    cells: list[list[tuple[str, str]]] = [[("", ""), ("table", ""), ("replica", "")]]
    for event, held in rows:
        source, target = held.split("/")
        cells.append(
            [(event, ""), (source, "box"), (target, "handled" if source == target else "left")]
        )
    picture.table(cells, (216, 76, 76))
    picture.gap(6)
    picture.note("Each write carries the sequence number of its change;")
    picture.note("one that is older than the replica's item changes nothing.")
    return picture.svg()


CHECKED = """\
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Audit:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: !GetAtt Orders.StreamArn
      FunctionName: audit
      StartingPosition: LATEST
      BisectBatchOnFunctionError: true
      FunctionResponseTypes: [ReportBatchItemFailures]
      DestinationConfig: {OnFailure: {Destination: "arn:aws:sqs:us-east-1:123456789012:failed"}}
"""


def check_in_a_terminal() -> str:
    """Draw what `cdk-streams check` prints for a template written by hand."""
    with TemporaryDirectory() as folder:
        Path(folder, "template.yaml").write_text(CHECKED, encoding="utf-8")
        text = terminal_picture.printed("check", "template.yaml", folder=Path(folder))
    return terminal_picture.picture(
        "cdk-streams check template.yaml", text, "Findings, each with its reason and what to do."
    )


PICTURES: dict[str, Callable[[], str]] = {
    "whole-path": whole_path,
    "poison-record": poison_record,
    "view-types": view_types,
    "shards-and-lanes": shards_and_lanes,
    "partial-batch-response": partial_batch_response,
    "tumbling-window": tumbling_window,
    "replica": replica,
    "check": check_in_a_terminal,
}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(), encoding="utf-8")
        print(f"docs/pictures/{name}.svg: written")
