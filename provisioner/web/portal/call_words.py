"""What the page about one call says, in each language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallWords:
    """All its words of one language. What stands in braces is filled in."""

    title: str
    back: str
    customer: str
    nobody_tried: str
    question: str
    how: str
    asked: str
    number: str
    another: str
    ask: str
    others: str
    all: str
    rang: str
    silent: str
    no_such_extension: str


_PL = CallWords(
    title="Połączenie {caller} → {dialled}",
    back="Wszystkie połączenia",
    customer="Klient",
    nobody_tried="Centrala do nikogo nie zadzwoniła.",
    question="Dlaczego nie zadzwonił ten numer?",
    how="Wybierz numer wewnętrzny, a zobaczysz, czy zadzwonił, a jeśli nie, to dlaczego i co można zrobić.",
    asked="Dlaczego nie zadzwonił {who}?",
    number="Numer wewnętrzny",
    another="Inny numer wewnętrzny",
    ask="Zapytaj",
    others="Pozostałe numery wewnętrzne",
    all="Wszystkie numery wewnętrzne",
    rang="zadzwonił",
    silent="nie zadzwonił",
    no_such_extension="Nie ma numeru wewnętrznego {number}. Sprawdź go i zapytaj jeszcze raz.",
)
_EN = CallWords(
    title="Call {caller} → {dialled}",
    back="All calls",
    customer="Customer",
    nobody_tried="Nobody was tried.",
    question="Why did this number not ring?",
    how="Choose an extension to see whether it rang, and if not, why, and what can be done.",
    asked="Why did {who} not ring?",
    number="Extension",
    another="Another extension",
    ask="Ask",
    others="The other extensions",
    all="All extensions",
    rang="rang",
    silent="did not ring",
    no_such_extension="There is no extension {number}. Correct it, and ask again.",
)

CALL_WORDS = {"pl": _PL, "en": _EN}
