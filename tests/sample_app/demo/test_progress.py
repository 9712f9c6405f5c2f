import io

from rich.console import Console

from sample_app.demo.progress import Consumer, Progress, line_of, table_of
from sample_app.demo.screen import step, verdict, watching

BEHIND = Consumer("inventory", 384, 361, 1.24, "1,225 units sold")
THERE = Consumer("audit", 487, 487, 0.0, "487 lines, 5 objects")


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


def test_it_is_done_when_all_is_written_and_handled() -> None:
    assert Progress(487, 487, (THERE,)).done
    assert not Progress(486, 487, (THERE,)).done
    assert not Progress(487, 487, (BEHIND, THERE)).done


def test_a_repeated_delivery_is_not_a_negative_backlog() -> None:
    assert Consumer("audit", 3, 5, 0.0, "").waiting == 0


def test_the_table_says_everything_within_80_columns() -> None:
    console = _printed()
    console.print(table_of(Progress(487, 1487, (BEHIND, THERE))))
    lines = _text(console).splitlines()
    assert len(lines) == 4
    for word in (
        "handled",
        "behind",
        "inventory",
        "384",
        "361",
        "23",
        "1.2 s",
        "1,225 units sold",
        "1,487 planned",
    ):
        assert word in _text(console)


def test_the_line_says_the_same() -> None:
    assert line_of(Progress(487, 487, (BEHIND,))) == (
        "487 of 487 written; inventory handled 361 of 384, 1.2 s behind (1,225 units sold)"
    )


def test_a_log_gets_one_line_for_the_first_look_and_one_for_the_last() -> None:
    console = _printed(terminal=False)
    with watching(console) as show:
        for written in range(486):
            show(Progress(written, 487, (BEHIND,)))
        show(Progress(487, 487, (THERE,)))
    lines = _text(console).splitlines()
    assert lines[0].startswith("0 of 487 written")
    assert lines[-1].startswith("487 of 487 written; audit handled 487 of 487")


def test_a_terminal_keeps_the_last_table() -> None:
    console = _printed(terminal=True)
    with watching(console) as show:
        show(Progress(487, 487, (THERE,)))
    assert "487 lines, 5 objects" in _text(console)


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
