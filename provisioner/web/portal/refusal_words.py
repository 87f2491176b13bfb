"""What pages say where something can't be done, in each language: what it is, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saying:
    """One refusal."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class RefusalWords:
    """All of them in one language."""

    not_found: Saying
    method: Saying
    "The page is there, and takes no such request."
    unavailable: Saying
    failed: Saying
    refused: Saying
    "Any refusal of another code."
    by_code: Mapping[str, Saying]

    def of(self, code: str) -> Saying:
        """What is said for a refusal of that code."""
        return self.by_code.get(code, self.refused)


_PL_NOT_FOUND = Saying("Nie ma takiej strony", "Sprawdź adres albo wróć na początek.")
_PL_REFUSED = "Nie można tego zrobić"
_PL = RefusalWords(
    not_found=_PL_NOT_FOUND,
    method=Saying(
        "Tej strony nie można tak wywołać",
        "Otwórz ją zwykłym linkiem albo wróć na początek; jeśli to był formularz, wyślij go jeszcze raz ze "
        "strony, na której jest.",
    ),
    unavailable=Saying("Baza danych nie odpowiada", "Spróbuj ponownie za chwilę."),
    failed=Saying(
        "Coś się nie udało",
        "Spróbuj ponownie; jeśli to się powtarza, przyczyna jest w dzienniku serwera.",
    ),
    refused=Saying(
        _PL_REFUSED,
        "Wróć na poprzednią stronę, odśwież ją i spróbuj ponownie; jeśli to się powtarza, przyczyna jest w "
        "dzienniku serwera.",
    ),
    by_code={
        "not-found": _PL_NOT_FOUND,
        "form-too-old": Saying(
            _PL_REFUSED,
            "Formularz stracił ważność. Wróć na poprzednią stronę, odśwież ją i wyślij go jeszcze raz.",
        ),
        "bad-form": Saying(
            _PL_REFUSED,
            "To, co przyszło, nie jest formularzem z tych stron. Wróć na poprzednią stronę, odśwież ją i "
            "wypełnij formularz jeszcze raz.",
        ),
        "forbidden": Saying(
            _PL_REFUSED, "Twoje konto nie ma do tego uprawnień. Poproś operatora albo technika."
        ),
        "conflict": Saying(
            _PL_REFUSED,
            "To już trwa albo ktoś był szybszy. Wróć na poprzednią stronę, odśwież ją i poczekaj, aż się "
            "skończy.",
        ),
        "too-many-test-calls": Saying(
            "Za dużo testów naraz", "Poczekaj, aż któryś się skończy, i powtórz."
        ),
        "too-many-streams": Saying(
            "Za dużo otwartych kart", "Zamknij karty z tymi stronami, których nie używasz, i odśwież tę."
        ),
    },
)

_EN_NOT_FOUND = Saying("There is no such page", "Check the address, or go back to the start.")
_EN_REFUSED = "This can't be done"
_EN = RefusalWords(
    not_found=_EN_NOT_FOUND,
    method=Saying(
        "This page can't be asked like that",
        "Open it by a link, or go back to the start; if it was a form, send it again from the page that has "
        "it.",
    ),
    unavailable=Saying("The database does not answer", "Try again in a moment."),
    failed=Saying("Something went wrong", "Try again; if it goes on, the server's log says why."),
    refused=Saying(
        _EN_REFUSED,
        "Go back, load the page again, and try once more; if it goes on, the server's log says why.",
    ),
    by_code={
        "not-found": _EN_NOT_FOUND,
        "form-too-old": Saying(
            _EN_REFUSED,
            "The form is no longer valid. Go back, load the page again, and send it once more.",
        ),
        "bad-form": Saying(
            _EN_REFUSED,
            "What came is no form of these pages. Go back, load the page again, and fill in the form once "
            "more.",
        ),
        "forbidden": Saying(
            _EN_REFUSED, "Your account may not do this. Ask an operator or a technician."
        ),
        "conflict": Saying(
            _EN_REFUSED,
            "It goes on already, or somebody was faster. Go back, load the page again, and wait until it is "
            "over.",
        ),
        "too-many-test-calls": Saying(
            "Too many tests at a time", "Wait until one of them is over, then repeat this."
        ),
        "too-many-streams": Saying(
            "Too many tabs are open", "Close tabs of these pages that you don't use, and load this one again."
        ),
    },
)

REFUSAL_WORDS = {"pl": _PL, "en": _EN}
