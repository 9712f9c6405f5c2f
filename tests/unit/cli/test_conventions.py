"""What holds for every command: its options, its exit codes, its help, its colors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from cdk_streams.cli import LiveView, main
from cdk_streams.cli._command import Command
from cdk_streams.cli._local import command as local_command
from cdk_streams.live import Problem
from tools.write_cli_page import contexts, options, words

COMMANDS = {words(each): each for each in contexts()}
AWS = {"profile", "region", "endpoint_url"}
STREAM = {"Fn::GetAtt": ["Orders", "StreamArn"]}
TEMPLATE = {
    "Resources": {
        "Orders": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}},
        },
        "Audit": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": STREAM,
                "FunctionName": "audit",
                "StartingPosition": "LATEST",
            },
        },
    }
}
# `init` writes files; `local` ends with the exit code of its command; `failures` lists what
# `redrive` takes.
NO_RESULT = {"init", "local", "redrive"}
SHOWS_PROGRESS = {"backfill", "compare", "local"}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments], prog_name="cdk-streams")


def names(command: str) -> set[str | None]:
    return {each.name for each in options(COMMANDS[command])}


def python(arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, *arguments.split()], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_says_what_it_is(command: str) -> None:
    assert isinstance(COMMANDS[command].command, Command)
    assert COMMANDS[command].command.get_short_help_str(200).endswith(".")
    for each in options(COMMANDS[command]):
        assert each.help, each.name
        assert each.help.endswith("."), each.name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_default_is_shown(command: str) -> None:
    for each in options(COMMANDS[command]):
        has_one = isinstance(each.get_default(COMMANDS[command]), (str, int, float, Path))
        if has_one and not each.is_flag and not each.multiple:
            assert "default" in each.get_help_extra(COMMANDS[command]), each.name


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_reaches_aws_takes_profile_region_and_endpoint(command: str) -> None:
    reached = names(command) & AWS
    assert reached in (set(), AWS) or command == "local"  # A Region is all that a local AWS has.


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - NO_RESULT))
def test_a_command_with_a_result_prints_it_as_json(command: str) -> None:
    assert "as_json" in names(command)


@pytest.mark.parametrize("command", sorted(SHOWS_PROGRESS))
def test_a_command_that_shows_progress_can_be_quiet(command: str) -> None:
    assert "quiet" in names(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_option_ends_with_2_and_help_with_0(command: str) -> None:
    wrong = run(*command.split(), "--no-such-option")
    assert wrong.exit_code == 2
    assert wrong.output.splitlines()[-1].startswith("Error: No such option")
    for word in ("-h", "--help"):
        assert run(*command.split(), word).exit_code == 0
    assert "--debug" in run(*command.split(), "-h").output


def test_the_help_lists_every_command_once_under_its_heading() -> None:
    listed = [each.name for commands in main.headings.values() for each in commands]
    assert sorted(map(str, listed)) == sorted(main.commands)
    lines = run("--help").output.splitlines()
    for heading, commands in main.headings.items():
        at = lines.index(f"{heading}:")
        shown = [line.split()[0] for line in lines[at + 1 : at + 1 + len(commands)]]
        assert shown == [each.name for each in commands]


def test_the_module_is_the_command() -> None:
    told = python("-m cdk_streams --help")
    assert told.stdout.startswith("Usage: cdk-streams [OPTIONS] COMMAND [ARGS]...")
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("shell", "typed"),
    [
        ("bash", {"COMP_WORDS": "cdk-streams redr", "COMP_CWORD": "1"}),
        ("zsh", {"COMP_WORDS": "cdk-streams redr", "COMP_CWORD": "1"}),
        ("fish", {"COMP_WORDS": "cdk-streams", "COMP_CWORD": "redr"}),
    ],
)
def test_every_shell_completes_a_command(
    shell: str, typed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in typed.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("_CDK_STREAMS_COMPLETE", f"{shell}_complete")
    assert "redrive" in run().output


def test_an_option_of_a_command_is_completed() -> None:
    context = click.Context(main, info_name="cdk-streams")
    command = main.commands["check"]
    with click.Context(command, info_name="check", parent=context) as inner:
        found = [each.value for each in command.shell_complete(inner, "--fail")]
    assert found == ["--fail-on"]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color_leaves_out_what_click_colors_too(
    no_color: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)

    @main.command("colored", cls=Command)
    def colored() -> None:
        click.secho("red", fg="red")

    try:
        answer = CliRunner().invoke(main, ["colored"], color=True)  # As on a terminal.
    finally:
        del main.commands["colored"]
    assert ("\x1b[31m" in answer.output) is (no_color == "")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_color_leaves_the_colors_out(no_color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    console = Console(force_terminal=True, color_system="standard")
    with console.capture() as captured:
        LiveView(console).notice("Audit", 0, Problem("the stream is gone"))
    assert ("\x1b[1;31m" in captured.get()) is (no_color == "")
    assert "the stream is gone" in captured.get()


# What Python has on Linux and macOS only.
WINDOWS = """
import os, signal, sys
for module, names in ((os, "fork killpg getpgid setsid"), (signal, "SIGHUP SIGKILL")):
    for name in names.split():
        delattr(module, name)
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None
from click.testing import CliRunner
from cdk_streams.cli import main
for line in sys.argv[1:]:
    done = CliRunner().invoke(main, line.split(","))
    print(line.split(",")[0], done.exit_code, done.output if done.exit_code > 1 else "")
"""


def test_commands_need_nothing_that_windows_lacks(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps(TEMPLATE))
    lines = [
        f"init,{tmp_path / 'shop'}",
        f"check,{template}",
        f"explain,{template}",
        "simulate,--poison,3",
        *(f"{name.replace(' ', ',')},--help" for name in COMMANDS),
    ]
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
        [sys.executable, "-c", WINDOWS, *lines], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    ended = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ended == [
        ["init", "0"],
        ["check", "1"],
        ["explain", "0"],
        ["simulate", "1"],
        *([name.split()[0], "0"] for name in COMMANDS),
    ]


def test_local_says_on_windows_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_command, "_IS_WINDOWS", True)
    answer = run("local")
    assert answer.exit_code == 2
    assert "Error: cdk-streams local must run on Linux or macOS, got Windows" in answer.output
