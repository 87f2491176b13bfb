"""The report of a simulation, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from provisioner.simulation.spread import Percentiles
from provisioner.simulation.tally import Report


def tables(report: Report) -> Iterator[Table | Text]:
    """What there is to print."""
    shown = Table(show_header=False)
    shown.add_row("phones that came up", f"{report.up} of {report.phones}")
    shown.add_row("from the plug to registered", _times(report.up_after_s))
    shown.add_row("files asked for", _requests(report))
    if report.fetched_again:
        shown.add_row("told to fetch again, and did", str(report.fetched_again))
    shown.add_row(
        "registrations", f"{report.registered}, {report.registered_per_s:.1f} a second while phones came up"
    )
    shown.add_row("subscriptions", str(report.subscribed))
    shown.add_row(
        "calls",
        f"{report.calls}: {report.talked} talked, {report.refused} turned down or engaged,"
        f" {report.unanswered} not answered, {report.failed} failed, {report.cut_short} cut short at the end",
    )
    shown.add_row("until it rings (post-dial delay)", _times(report.post_dial_s))
    shown.add_row("CPU of the server", _cpu(report.server_cpu_s, report.lasted_s))
    shown.add_row("CPU of the phones", _cpu(report.own_cpu_s, report.lasted_s))
    yield shown
    if report.failures:
        failures = Table("what failed", "times", "phones, the first of them", "what to do")
        for each in report.failures:
            failures.add_row(
                Text(f"{each.cause} {each.detail}".strip()),
                str(each.times),
                Text("\n".join(each.phones)),
                Text(each.advice),
            )
        yield failures
    if report.interrupted:
        yield Text("It was ended early.")
    if report.passed:
        yield Text("All phones came up, and no call failed.", style="green")
    else:
        never = f", never: {', '.join(report.never_up)}" if report.never_up else ""
        missing = report.phones - report.up
        yield Text(f"{missing} phones did not come up{never}; {report.failed} calls failed.", style="red")


def _times(spread: Percentiles | None) -> str:
    if spread is None:
        return "none"
    return f"p50 {_time(spread.p50)}, p99 {_time(spread.p99)}, at most {_time(spread.max)}"


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _requests(report: Report) -> str:
    by_status = ", ".join(
        f"{times} × {status}" if status != "0" else f"{times} without an answer"
        for status, times in report.requests.items()
    )
    return f"{sum(report.requests.values())} ({by_status}), {report.bytes / 1024:.0f} KiB"


def _cpu(used_s: float | None, lasted_s: float) -> str:
    if used_s is None:
        return "can't be told from here"
    return f"{used_s:.1f} s, {used_s / lasted_s:.0%} of a core"
