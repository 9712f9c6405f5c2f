import io

from rich.console import Console

from cdk_streams.cli import LiveView
from cdk_streams.poller import RecordsRead, Settled
from sample_app.demo.screen import step, verdict, watching


def _printed(width: int = 80, *, terminal: bool = False) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        color_system=None,
        legacy_windows=False,
    )


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _view(console: Console) -> LiveView:
    view = LiveView(console)
    record = {"dynamodb": {"SequenceNumber": "1"}, "eventName": "INSERT"}
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026"
    view.notice("Audit", 0, RecordsRead("s", 1, [record | {"eventSourceARN": arn}]))
    view.notice("Audit", 0, Settled("s", "handled", [record]))
    return view


def test_a_log_gets_a_line_for_the_first_write_and_the_table_in_the_end() -> None:
    console = _printed(width=120)
    with watching(console, _view(console), 487) as show:
        for written in range(1, 488):
            show(written)
    first, *_, last = _text(console).splitlines()
    assert first == "1 of 487 written; Audit handled 1 of 1 read"
    assert last.split()[:3] == ["Audit", "1", "1"]


def test_a_terminal_keeps_the_last_table() -> None:
    console = _printed(width=120, terminal=True)
    with watching(console, _view(console), 487) as show:
        show(1)
    assert "failure records" in _text(console)
    assert "Audit" in _text(console)


def test_a_step_is_said_when_it_is_done_with_its_time() -> None:
    console = _printed()
    with step(console, "cdk synth", "synthesized") as say:
        say("7/31 AWS::S3::Bucket")
        assert _text(console) == ""
    assert "synthesized" in _text(console)
    assert _text(console).endswith("s\n")


def test_faults_are_counted_and_the_first_ten_are_shown() -> None:
    console = _printed()
    verdict(console, "all is right", [f"order-{number}" for number in range(12)])
    assert "wrong: 12" in _text(console)
    assert "order-9" in _text(console)
    assert "order-10" not in _text(console)
    assert "all is right" not in _text(console)
