"""Which lamps are watched, and what each shows: state of the package `dialog` (RFC 4235).

A phone watches extensions, groups and lines of its own company. Whatever else it asks for is not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from db.changes import ALL
from provisioner.centrex.exchange import Exchange
from provisioner.pbx.exchange import CUSTOMER
from provisioner.pbx.lamps import Lamps, Lit, Place, group_place, line_place
from sip.message.uri import SipUri, escape_user
from sip.packages.dialog import DialogInfo, DialogState, LineDialogs, Participant
from sip.packages.documents import identifier
from sip.subscription_errors import NoSuchState


@dataclass(slots=True)
class Watched:
    """A lamp that somebody watches."""

    number: str
    aor: SipUri
    "As it is asked for."
    asked_by: str
    "A line of the same company."
    exchange: Exchange
    place: Place
    name: str
    shown: dict[str, DialogInfo] = field(default_factory=dict)
    "The dialogs that were told last, by their ids."


class LampWatch:
    """All that are watched."""

    def __init__(self, lamps: Lamps) -> None:
        self._lamps = lamps
        self._watched: dict[str, Watched] = {}
        "By resource."
        self._at: defaultdict[Place, set[str]] = defaultdict(set)
        "The resources that are lit from a place."

    def admit(
        self, exchange: Exchange | None, asked_by: str, number: str, aor: SipUri
    ) -> tuple[str, LineDialogs]:
        """The resource of a number of the company of the line `asked_by`, and what it shows now.

        Raises `NoSuchState`.
        """
        found = None if exchange is None else _place(exchange, number)
        if exchange is None or found is None:
            raise NoSuchState("your company has no extension, group or line of that number")
        # One for each name of ours that it is asked for by, since the documents repeat that.
        resource = f"{exchange.customer_id} {aor}"
        watched = self._watched.get(resource)
        if watched is None:
            place, name = found
            watched = self._watched[resource] = Watched(number, aor, asked_by, exchange, place, name)
            self._at[place].add(resource)
        return resource, LineDialogs(str(watched.aor), tuple(self._dialogs(watched)))

    def seen_at(self, place: Place) -> frozenset[str]:
        """The resources that may show something else when something happens there."""
        return frozenset(self._at.get(place, ()))

    def state(self, resource: str) -> LineDialogs:
        """What a lamp shows now; a dialog that it has shown before, and that is over, for the last time."""
        watched = self._watched[resource]
        dialogs = {each.id: each for each in self._dialogs(watched)}
        over = [
            replace(each, state=DialogState.TERMINATED)
            for each in watched.shown.values()
            if each.id not in dialogs and each.state is not DialogState.TERMINATED
        ]
        watched.shown = dialogs
        return LineDialogs(str(watched.aor), (*dialogs.values(), *over))

    def of_customers(self, scopes: Sequence[str]) -> list[str]:
        """The resources that changes of these scopes may have made something else."""
        if ALL in scopes:
            return list(self._watched)
        named = {scope.partition(":")[2] for scope in scopes if scope.startswith(CUSTOMER)}
        if not named:
            return []
        found = self._watched.items()
        return [resource for resource, each in found if str(each.exchange.customer_id) in named]

    def asked_by(self, resource: str) -> str | None:
        """A line of the company that the resource belongs to; None: it is watched no more."""
        watched = self._watched.get(resource)
        return None if watched is None else watched.asked_by

    def moved(self, resource: str, exchange: Exchange | None) -> bool:
        """Looks anew where a lamp is lit from; False: it is there no more."""
        watched = self._watched[resource]
        found = None if exchange is None else _place(exchange, watched.number)
        if exchange is None or found is None:
            return False
        self._leave(resource, watched.place)
        watched.exchange, (watched.place, watched.name) = exchange, found
        self._at[watched.place].add(resource)
        return True

    def forget(self, resource: str) -> None:
        """Nobody watches it any more."""
        watched = self._watched.pop(resource, None)
        if watched is not None:
            self._leave(resource, watched.place)

    def _leave(self, resource: str, place: Place) -> None:
        self._at[place].discard(resource)
        if not self._at[place]:
            del self._at[place]

    def _dialogs(self, watched: Watched) -> Iterator[DialogInfo]:
        kind, number = watched.place
        if kind == "group":
            for lit in self._lamps.of_group(number, watched.exchange.lines):
                # One for the call, whoever of the group is rung.
                yield _dialog(lit, identifier(lit.call), watched)
        else:
            for lit in self._lamps.of_line(number):
                yield _dialog(lit, identifier(lit.leg), watched)


def _place(exchange: Exchange, number: str) -> tuple[Place, str] | None:
    """Where the lamp of a number is lit from, and what the number is called; None: there is none."""
    if (extension := exchange.extensions.get(number)) is not None:
        # Without a line it is never lit.
        return line_place(extension.line or ""), extension.name
    if (group := exchange.groups.get(number)) is not None:
        return group_place(number), group.name
    if number in exchange.lines:
        known = exchange.extension_of_line(number)
        return line_place(number), "" if known is None else known.name
    return None


def _dialog(lit: Lit, dialog_id: str, watched: Watched) -> DialogInfo:
    caller = lit.caller
    remote = None
    if caller is not None and caller.number and not caller.is_hidden:
        uri = SipUri(watched.aor.host, escape_user(caller.number))
        remote = Participant(str(uri), caller.name or None)
    return DialogInfo(
        dialog_id,
        lit.state,
        lit.direction,
        # As the phone that rings knows it.
        call_id=None if lit.dialog is None else lit.dialog.call_id,
        local_tag=None if lit.dialog is None else lit.dialog.remote_tag,
        remote_tag=None if lit.dialog is None else lit.dialog.local_tag,
        local=Participant(str(watched.aor), watched.name or None),
        remote=remote,
    )
