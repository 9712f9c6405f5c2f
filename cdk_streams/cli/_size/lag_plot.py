"""The lag and the writes over the day as a picture: PNG, SVG, or a page with the SVG in it."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cdk_streams._extras import install_sentence
from cdk_streams.capacity import Forecast, Proposal, Workload, sentences_about
from cdk_streams.cli._command import CommandError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["write_plot"]

_INCHES: Final = (10, 5)
_DPI: Final = 150
# Lags so far above the target leave the others no room on an even scale.
_FAR_ABOVE: Final = 10
# Told apart by who sees no red and green, and by their lines in black and white.
_LINES: Final = {"today": ("#d55e00", "--"), "proposed": ("#0072b2", "-")}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem }}
body {{ padding: 0 1rem }}
svg {{ height: auto; max-width: 100% }}
table {{ border-collapse: collapse }}
th, td {{ padding: .2rem .8rem; text-align: right }}
th:first-child, td:first-child {{ text-align: left }}
</style>
</head>
<body>
<h1>{title}</h1>
{svg}
<table>
{rows}
</table>
</body>
</html>
"""


def write_plot(path: Path, workload: Workload, proposal: Proposal) -> None:
    """Write the picture that the file's name asks for."""
    try:
        _write(path, workload, proposal)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror}") from None


def _write(path: Path, workload: Workload, proposal: Proposal) -> None:
    figure = _figure(workload, proposal)
    if path.suffix.lower() != ".html":
        figure.savefig(path, dpi=_DPI)
        return
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    svg = picture.getvalue()
    svg = svg[svg.index("<svg") :]
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{found.lag.total_seconds():.3g} s at most</td>"
        f"<td>{found.invocations:,} invocations</td><td>${found.cost:,.2f}</td></tr>"
        for name, found in _found(proposal)
    )
    title = escape(_title(proposal))
    path.write_text(_PAGE.format(title=title, svg=svg, rows=rows), encoding="utf-8")


def _figure(workload: Workload, proposal: Proposal) -> Figure:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - comes with an extra
    except ImportError:
        raise CommandError(install_sentence("--plot", "matplotlib")) from None

    figure = Figure(figsize=_INCHES, layout="constrained")
    lags, writes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    for name, found in _found(proposal):
        color, style = _LINES[name]
        hours = [minute / 60 for minute, _ in found.lags]
        seconds = [lag for _, lag in found.lags]
        lags.plot(hours, seconds, style, color=color, label=name)
    target_s = proposal.target_lag.total_seconds()
    lags.axhline(target_s, color="#555555", linewidth=1, linestyle=":", label="target")
    lags.set_ylabel("lag in seconds")
    if max((lag for _, each in _found(proposal) for _, lag in each.lags), default=0) > (
        target_s * _FAR_ABOVE
    ):
        lags.set_yscale("symlog", linthresh=target_s)
    lags.set_ylim(bottom=0)
    lags.legend(loc="upper right")
    lags.set_title(_title(proposal), fontsize="medium", wrap=True)
    _draw_writes(writes, workload)
    return figure


def _draw_writes(axes: Axes, workload: Workload) -> None:
    steps = [*workload.writes.steps, (workload.writes.seconds, workload.writes.steps[-1][1])]
    hours: list[Any] = [start / 3600 for start, _ in steps]
    axes.fill_between(hours, [rate for _, rate in steps], step="post", color="#999999")
    axes.set_ylabel("writes a second")
    axes.set_xlabel("hours")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, workload.writes.seconds / 3600)


def _found(proposal: Proposal) -> list[tuple[str, Forecast]]:
    columns = [("today", proposal.current), ("proposed", proposal.proposed)]
    return [(name, found) for name, found in columns if found is not None]


def _title(proposal: Proposal) -> str:
    if proposal.proposed is None:
        return f"Lag: {sentences_about(proposal)}"
    settings = proposal.proposed.size.settings
    return (
        f"Lag with batch_size={settings.batch_size}, "
        f"max_batching_window={settings.max_batching_window.total_seconds():g} s, "
        f"parallelization_factor={settings.parallelization_factor}"
    )
