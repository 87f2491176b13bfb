"""Asks registered phones whether they are there (OPTIONS, RFC 3261 §11), and tells the location.

A phone that is unplugged stays registered until its binding lapses: by this it is known to be out of reach.
"""

from __future__ import annotations

import asyncio
import logging

from provisioner.pbx.phones import Phones
from provisioner.pbx.registrations import Registrations
from sip.binding import Binding
from sip.errors import SipError
from sip.location import Location
from sip.message.uri import SipUri
from sip.out_of_dialog import request_to
from sip.probing import Probe, Probes

logger = logging.getLogger(__name__)

_ANSWER_S = 8.0
"What comes later is no answer: by then the request went out five times."
_AGAIN_S = 5.0
"How soon a phone is asked again that has not answered."
_IDLE_S = 1.0
"The plan is looked at after so long even if nothing is due."


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

    async def run(self) -> None:
        """Asks until it is cancelled."""
        watch = self._location.subscribe(None, lambda: None, pending=100_000)
        self._probes.restore(
            [(each.aor, each.binding) for each in self._location.snapshot(self._clock())], self._clock()
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    for change in watch.take().changes:
                        self._probes.note(change)
                    for probe in self._probes.take(self._clock()):
                        tasks.create_task(self._ask(probe))
                    due = self._probes.deadline
                    wait_s = _IDLE_S if due is None else min(_IDLE_S, max(0.0, due - self._clock()))
                    await asyncio.sleep(wait_s)
        finally:
            watch.close()

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
