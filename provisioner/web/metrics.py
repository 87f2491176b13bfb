"""`GET /metrics`: numbers for Prometheus, behind a token of the operator's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from aiohttp import web
from prometheus_client import PROCESS_COLLECTOR
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from provisioner.operations.api_tokens import Bearer
from provisioner.operations.calls import LegEnd
from provisioner.operations.counted import Calling, Counted, Registering, Tally
from provisioner.operations.installation import Installation
from provisioner.operations.ladder import Rung
from provisioner.operations.measures import Measures, Measuring
from provisioner.web.api.auth import INSTALLATION, for_bearers
from provisioner.web.api.problems import problems
from sip.call.story import EndedBy
from sip.counters import Counters

TRANSPORTS = ("udp", "tcp", "tls")
_PREFIX = "centralka_"


class _Once(Collector):
    """Gives what it was given."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def add_metrics(app: web.Application, installation: Installation, counted: Counted) -> None:
    """Puts them into the portal's application."""
    app[INSTALLATION] = installation
    measuring = Measuring(installation)

    async def show(_: web.Request, bearer: Bearer) -> web.StreamResponse:
        if bearer.customer_id is not None:
            # For a customer's program it is not there.
            raise web.HTTPNotFound
        registry = CollectorRegistry()
        registry.register(_Once(_families(await measuring.measures(), counted)))
        registry.register(PROCESS_COLLECTOR)
        return web.Response(
            body=generate_latest(registry),
            headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"},
        )

    guarded = for_bearers(show)

    async def answer(request: web.Request) -> web.StreamResponse:
        return await problems(request, guarded)

    app.router.add_get("/metrics", answer, allow_head=False)


def _families(found: Measures, counted: Counted) -> Iterator[Metric]:
    by_transport = {name: found.by_transport.get(name, 0) for name in TRANSPORTS}
    yield _gauges("registrations", "Bindings that have not run out.", "transport", by_transport)
    yield _gauge("lines_registered", "Lines with a binding that has not run out.", found.registered)
    yield _gauge("registrations_reachable", "Bindings whose phone was heard lately.", found.reachable)
    yield _gauge("registrations_unreachable", "Bindings whose phone does not answer.", found.unreachable)
    rungs = {str(rung): found.rungs.get(rung, 0) for rung in Rung}
    yield _gauges("devices", "Listed phones, by how far they came.", "rung", rungs)
    yield _gauge("banned_sources", "Sources that get no file without a token.", found.banned)
    yield _counter("phone_requests", "Requests of phones for files.", found.requests)
    yield _counter("phone_reports", "Events that phones reported.", found.reports)
    yield _counter("registration_events", "What happened to bindings, but for refreshes.", found.happened)
    yield _gauge("test_red_numbers", "Numbers that ring wrong in test calls.", found.red_numbers)
    ended = {cause: run.finished_at.timestamp() for cause, run in found.runs.items()}
    yield _gauges("test_run_finished_timestamp_seconds", "When the last run ended.", "cause", ended)
    yield _last_runs(found)
    if counted.sip is not None:
        yield from _of_sip(counted.sip)
    if counted.registering is not None:
        yield from _of_registering(counted.registering)
    if counted.calling is not None:
        yield from _of_calling(counted.calling)
    if counted.sip_banned is not None:
        yield _gauge("sip_banned_sources", "Sources whose SIP is not looked at.", counted.sip_banned())


def _last_runs(found: Measures) -> Metric:
    told = "Numbers of the last run of test calls."
    family = GaugeMetricFamily(f"{_PREFIX}test_run_numbers", told, labels=["cause", "result"])
    for cause, run in found.runs.items():
        for result, count in run.numbers.items():
            family.add_metric([cause, result], count)
    return family


def _of_sip(sip: Counters) -> Iterator[Metric]:
    yield _counters("sip_requests", "New SIP requests.", "method", sip.requests)
    yield _counters("sip_responses", "SIP responses that were sent.", "status", sip.responses)
    yield _counters("sip_register_responses", "Those that answered a REGISTER.", "status", sip.registers)
    yield _counter("sip_unreadable", "SIP messages that can't be read.", sip.unreadable)
    yield _counter("sip_withheld", "Answers not sent, so as not to amplify.", sip.withheld)
    yield _counter("sip_dropped", "SIP messages that were not looked at.", sip.dropped)


def _of_registering(registering: Registering) -> Iterator[Metric]:
    yield _histogram("register_batch_size", "REGISTERs that share a commit.", registering.batches)
    yield _histogram("register_commit_seconds", "How long storing a batch takes.", registering.commits_s)


def _of_calling(calling: Calling) -> Iterator[Metric]:
    yield _gauge("calls_live", "Calls that go on.", calling.live())
    ended = {str(by): calling.ended[by] for by in EndedBy}
    yield _counters("calls", "Calls that have ended.", "end", ended)
    tried = {str(reason): calling.legs[reason] for reason in LegEnd}
    yield _counters("call_legs", "Lines that calls have tried, by what became of them.", "reason", tried)
    yield _histogram("call_seconds", "How long answered calls took.", calling.talked_s)
    yield _gauge("calls_unwritten", "Calls of which something is not stored yet.", calling.unwritten())
    yield _counter("calls_lost", "Calls of which there is no record.", calling.lost())
    yield _histogram("call_batch_size", "Calls that share a commit.", calling.batches)
    yield _histogram("call_commit_seconds", "How long storing a batch takes.", calling.commits_s)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, told, value=value)


def _gauges(name: str, told: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, told, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _counter(name: str, told: str, value: float) -> Metric:
    return CounterMetricFamily(_PREFIX + name, told, value=value)


def _counters(name: str, told: str, label: str, values: Mapping[str, int] | Mapping[int, int]) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, told, labels=[label])
    for key, value in sorted((str(key), value) for key, value in values.items()):
        family.add_metric([key], value)
    return family


def _histogram(name: str, told: str, tally: Tally) -> Metric:
    family = HistogramMetricFamily(_PREFIX + name, told)
    bounds = [*map(str, map(float, tally.bounds)), "+Inf"]
    family.add_metric([], list(zip(bounds, accumulate(tally.counts), strict=True)), tally.total)
    return family
