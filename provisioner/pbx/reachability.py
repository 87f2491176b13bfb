"""Asks registered phones whether they are there (OPTIONS, RFC 3261 §11), and tells the location.

A phone that is unplugged stays registered until its binding lapses: by this it is known to be out of reach.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from provisioner.pbx.phones import Phones
from provisioner.pbx.registrations import Registrations
from sip.binding import ENDS, Binding, Change, ChangeKind
from sip.errors import SipError
from sip.location import Location
from sip.message.uri import SipUri
from sip.out_of_dialog import request_to
from sip.probing import Probe, Probes
from sip.transport.flow import Address, Flow

logger = logging.getLogger(__name__)

_ANSWER_S = 8.0
"What comes later is no answer: by then the request went out five times."
_AGAIN_S = 5.0
"How soon a phone is asked again that has not answered."
_IDLE_S = 1.0
"The plan is looked at after so long even if nothing is due."
_COME_AND_GO = ENDS | {ChangeKind.REGISTERED, ChangeKind.MOVED}
"What says whom to ask: a refresh, as nearly all that happens is, changes nothing of that."


class Reachability:
    """The driver of `sip.probing`."""

    def __init__(
        self, phones: Phones, location: Location, probes: Probes, registrations: Registrations
    ) -> None:
        self._phones = phones
        self._location = location
        self._probes = probes
        self._registrations = registrations
        self._clock = asyncio.get_running_loop().time
        self._by_connection: dict[Address, set[Probe]] = {}
        "The bindings that are reached by connections, by the peer's end."

    async def run(self) -> None:
        """Asks until it is cancelled."""
        woken = asyncio.Event()
        watch = self._location.subscribe(None, woken.set, _COME_AND_GO, pending=100_000)
        there = [(each.aor, each.binding) for each in self._location.snapshot(self._clock())]
        self._probes.restore(there, self._clock())
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    for change in watch.take().changes:
                        self._probes.note(change)
                        self._note_connection(change)
                    for probe in self._probes.take(self._clock()):
                        tasks.create_task(self._ask(probe))
                    due = self._probes.deadline
                    wait_s = _IDLE_S if due is None else min(_IDLE_S, max(0.0, due - self._clock()))
                    woken.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await woken.wait()
        finally:
            watch.close()

    def closed(self, flow: Flow) -> None:
        """A connection has ended: whoever registered by it is out of reach until it comes again."""
        now = self._clock()
        for probe in self._by_connection.pop(flow.remote, ()):
            for binding in self._phones.bindings(probe.aor):
                if binding.key == probe.key and binding.remote == flow.remote:
                    lost = self._location.unanswered(probe.aor, probe.key, now, is_lost=True)
                    self._registrations.note(lost)

    def _note_connection(self, change: Change) -> None:
        probe = Probe(change.aor, change.binding.key)
        if change.kind in ENDS:
            self._forget(probe, change.binding)
        elif change.kind in (ChangeKind.REGISTERED, ChangeKind.MOVED):
            if change.before is not None:
                self._forget(Probe(change.aor, change.before.key), change.before)
            if change.binding.transport.is_reliable:
                self._by_connection.setdefault(change.binding.remote, set()).add(probe)

    def _forget(self, probe: Probe, binding: Binding) -> None:
        probes = self._by_connection.get(binding.remote, set())
        probes.discard(probe)
        if not probes:
            self._by_connection.pop(binding.remote, None)

    async def _ask(self, probe: Probe) -> None:
        if (binding := self._binding(probe)) is None:
            return
        try:
            rtt_s, is_lost = await self._round_trip(probe.aor, binding)
        except SipError as error:
            # There is too much to do here: that says nothing of the phone.
            logger.debug("not asked aor=%s error=%s", probe.aor, error)
            return
        except Exception:
            # Whatever is wrong with one phone, the others are asked.
            logger.exception("a phone could not be asked aor=%s", probe.aor)
            return
        there = self._binding(probe)
        if there is None or there.way != binding.way:
            # It has moved meanwhile: by its new flow nobody has asked it yet.
            return
        now = self._clock()
        if rtt_s is not None:
            self._registrations.heard(probe.aor, binding, rtt_s)
            self._registrations.note(self._location.heard(probe.aor, probe.key, now, rtt_s))
            return
        lost = self._location.unanswered(probe.aor, probe.key, now, is_lost=is_lost)
        self._registrations.note(lost)
        self._probes.again(probe, now + _AGAIN_S)

    def _binding(self, probe: Probe) -> Binding | None:
        """As it is now."""
        return next((each for each in self._phones.bindings(probe.aor) if each.key == probe.key), None)

    async def _round_trip(self, line: str, binding: Binding) -> tuple[float | None, bool]:
        """How long the answer took, None without one; and whether there is no way to ask.

        Raises `SipError` if it was not asked.
        """
        flow = self._phones.flow_of(binding)
        if flow is None or not flow.is_open:
            return None, True
        request = request_to("OPTIONS", SipUri(flow.local.uri_host, line), binding, flow)
        began = self._clock()
        try:
            async with asyncio.timeout(_ANSWER_S):
                # Whatever it answers, it is there.
                answer = await self._phones.ask(request, flow)
        except TimeoutError:
            answer = None
        return (None if answer is None else self._clock() - began), False
