"""What the page of alarms says, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.operations.alarms import AlarmKind, Standing


@dataclass(frozen=True, slots=True)
class AlarmWords:
    """All its words of one language. What stands in braces is filled in."""

    how: str
    counts: Mapping[Standing, str]
    states: Mapping[Standing, str]
    what: str
    raised: str
    seen: str
    over: str
    advice: str
    "What stands before it."
    details: str
    see_to: str
    see_to_alarm: str
    report: str
    number: str
    phone: str
    gone_phone: str
    "Where a sentence names a phone that is not listed any more."
    happened: Mapping[AlarmKind, str]
    "What has happened, by `number`, `mac` and `source`."
    happened_otherwise: str
    "Of a kind that a newer version knows."
    do: Mapping[AlarmKind, str]
    "What to do about it. The command that stands behind it is not of a language."
    do_otherwise: str


COMMANDS: Mapping[AlarmKind, str] = {
    AlarmKind.RACED: "centralka devices claim {mac}",
    AlarmKind.FILES: "centralka lint",
    AlarmKind.FIRMWARE: "centralka lint",
    AlarmKind.SCAN: "centralka bans lift {source}",
}
"What a person types then, as far as there is no page for it."

_PL = AlarmWords(
    how="Alarm czeka tak długo, aż ktoś go załatwi albo to, co się stało, ustąpi. Jeśli stanie się "
    "to znowu, pojawi się nowy.",
    counts={
        Standing.WAITING: "czekają",
        Standing.SEEN: "załatwione",
        Standing.OVER: "zakończone",
    },
    states={
        Standing.WAITING: "czeka",
        Standing.SEEN: "załatwiony",
        Standing.OVER: "zakończony",
    },
    what="Co się stało i co zrobić",
    raised="Od kiedy",
    seen="załatwiony",
    over="zakończony",
    advice="Co zrobić:",
    details="Szczegóły",
    see_to="Załatwione",
    see_to_alarm="Oznacz jako załatwiony alarm {number}: {what}",
    report="Zobacz wynik testu",
    number="Testy numeru {number}",
    phone="Telefon {mac}",
    gone_phone="którego już nie ma na liście",
    happened={
        AlarmKind.RED: "Numer {number} nie dzwoni tak, jak go ustawiono.",
        AlarmKind.RACED: "O pierwszy plik telefonu {mac} poprosiły dwa adresy.",
        AlarmKind.FILES: "Plików telefonu {mac} nie da się zapisać, więc dostaje poprzednie.",
        AlarmKind.FIRMWARE: "Telefon {mac} ma oprogramowanie, dla którego nie da się zapisać jego plików.",
        AlarmKind.SCAN: "Z adresu {source} pytano o wiele telefonów, których nie ma na liście.",
        AlarmKind.SPREAD_SCAN: "Z wielu adresów naraz pytano o telefony, których nie ma na liście.",
        AlarmKind.GUESSING: "Z adresu {source} zgadywano numery lub hasła linii.",
    },
    happened_otherwise="Stało się coś, czego ta wersja nie zna.",
    do={
        AlarmKind.RED: "zobacz, co wskazuje test, popraw to i przetestuj numer jeszcze raz. Gdy zadzwoni "
        "dobrze, alarm sam się zakończy.",
        AlarmKind.RACED: "sprawdź, czyj jest drugi adres, potem pozwól telefonowi pobrać plik jeszcze raz:",
        AlarmKind.FILES: "sprawdź, co w ustawieniach telefonu na to nie pozwala:",
        AlarmKind.FIRMWARE: "sprawdź, czy na liście jest właściwy model i czego brakuje oprogramowaniu:",
        AlarmKind.SCAN: "jeśli to Wasze telefony, dodaj je do listy i zdejmij blokadę poleceniem poniżej; "
        "jeśli nie, zablokuj ten adres na zaporze sieciowej.",
        AlarmKind.SPREAD_SCAN: "jeśli to Wasze telefony, dodaj je do listy; jeśli nie, odetnij obcych zaporą "
        "sieciową.",
        AlarmKind.GUESSING: "jeśli są tam Wasze telefony, sprawdź, czy mają dobre hasła; jeśli nie, zablokuj "
        "ten adres na zaporze sieciowej.",
    },
    do_otherwise="przeczytaj szczegóły.",
)
_EN = AlarmWords(
    how="An alarm stays here until somebody has seen to it, or what it is about is in order again. If "
    "the same happens again, there is a new one.",
    counts={Standing.WAITING: "waiting", Standing.SEEN: "seen to", Standing.OVER: "over"},
    states={Standing.WAITING: "waits", Standing.SEEN: "seen to", Standing.OVER: "over"},
    what="What happened, and what to do",
    raised="Since",
    seen="seen to",
    over="over",
    advice="What to do:",
    details="Details",
    see_to="Seen to",
    see_to_alarm="Mark as seen to alarm {number}: {what}",
    report="See the test's result",
    number="Tests of {number}",
    phone="Phone {mac}",
    gone_phone="that is no longer listed",
    happened={
        AlarmKind.RED: "The number {number} does not ring as it is configured.",
        AlarmKind.RACED: "Two addresses asked for the first file of the phone {mac}.",
        AlarmKind.FILES: "The files of the phone {mac} can't be written, so it gets the ones before.",
        AlarmKind.FIRMWARE: "The phone {mac} has a firmware for which its files can't be written.",
        AlarmKind.SCAN: "{source} asked for many phones that are not listed.",
        AlarmKind.SPREAD_SCAN: "Many addresses at once asked for phones that are not listed.",
        AlarmKind.GUESSING: "{source} guessed numbers or passwords of lines.",
    },
    happened_otherwise="Something happened that this version does not know.",
    do={
        AlarmKind.RED: "see what the test blames, put that right, and test the number again. When it rings "
        "right, the alarm ends by itself.",
        AlarmKind.RACED: "find out whose the other address is, then let the phone fetch its file again:",
        AlarmKind.FILES: "see what in the phone's settings keeps them from being written:",
        AlarmKind.FIRMWARE: "see whether the phone is listed as what it is, and what its firmware lacks:",
        AlarmKind.SCAN: "if the phones are yours, list them and lift the ban by the command below; if not, "
        "block the address at the firewall.",
        AlarmKind.SPREAD_SCAN: "if the phones are yours, list them; if not, keep strangers out by a "
        "firewall.",
        AlarmKind.GUESSING: "if phones of yours are there, see whether their passwords are right; if not, "
        "block the address at the firewall.",
    },
    do_otherwise="read the details.",
)

ALARM_WORDS: Mapping[str, AlarmWords] = {"pl": _PL, "en": _EN}
