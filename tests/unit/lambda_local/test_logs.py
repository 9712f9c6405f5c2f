from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cdk_streams.lambda_local._logs import LineBuffer, LogLine, LogPipe


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        os.close(end)


def test_finish_returns_every_line_written_before_it(ends: tuple[int, int]) -> None:
    read, write = ends
    pipe = LogPipe(read, "audit", lambda _: None)
    for number in range(200):
        os.write(write, f"line {number}\n".encode())
        assert pipe.finish() == (f"line {number}",)
    pipe.close()


def test_each_line_is_streamed_under_its_request(ends: tuple[int, int]) -> None:
    read, write = ends
    seen: list[LogLine] = []
    pipe = LogPipe(read, "audit", seen.append)
    os.write(write, b"import\n")
    pipe.begin("r-1")
    os.write(write, b"one\n")
    pipe.finish()
    pipe.begin("r-2")
    os.write(write, b"two\n")
    pipe.close()
    assert seen == [
        LogLine("audit", "", "import"),
        LogLine("audit", "r-1", "one"),
        LogLine("audit", "r-2", "two"),
    ]


def test_a_line_in_two_pieces_is_one_line(ends: tuple[int, int]) -> None:
    read, write = ends
    seen: list[LogLine] = []
    pipe = LogPipe(read, "audit", seen.append)
    os.write(write, b"ha")
    pipe.begin("r-1")
    os.write(write, b"lf\n")
    assert pipe.finish() == ("half",)
    pipe.close()


def test_an_unfinished_line_is_not_lost(ends: tuple[int, int]) -> None:
    read, write = ends
    pipe = LogPipe(read, "audit", lambda _: None)
    os.write(write, b"no newline")
    assert pipe.finish() == ("no newline",)
    pipe.close()


def test_a_stack_trace_in_one_line_becomes_lines(ends: tuple[int, int]) -> None:
    read, write = ends
    pipe = LogPipe(read, "audit", lambda _: None)
    os.write(write, b"[ERROR] E\rTraceback\r  File\n")
    assert pipe.finish() == ("[ERROR] E", "Traceback", "  File")
    pipe.close()


def test_only_the_runtimes_report_of_an_error_is_marked_as_one(ends: tuple[int, int]) -> None:
    read, write = ends
    seen: list[LogLine] = []
    pipe = LogPipe(read, "audit", seen.append)
    os.write(write, b"[ERROR] E: no\rTraceback\n[ERROR]\t2026\tr-1\tlogged\nplain\n")
    pipe.close()
    assert [line.is_error_report for line in seen] == [True, True, False, False]


def test_the_pieces_of_a_long_line_are_joined_once_when_it_ends() -> None:
    buffer = LineBuffer()
    chunks = [bytes([number]) * 100 for number in range(65, 75)]
    assert [buffer.add(chunk) for chunk in chunks] == [[]] * 10
    assert all(kept is chunk for kept, chunk in zip(buffer.pieces, chunks, strict=True))
    assert buffer.add(b"end\nnext\nrest") == [b"".join(chunks) + b"end", b"next"]
    assert (buffer.rest(), buffer.rest()) == (b"rest", b"")
