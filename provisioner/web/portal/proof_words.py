"""What the pages about test calls say, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.operations.proof_board import Standing
from provisioner.operations.proof_runs import Cause, State


@dataclass(frozen=True, slots=True)
class ProofWords:
    """All their words of one language. What stands in braces is filled in."""

    title: str
    how: str
    customer: str
    customers: str
    search_hint: str
    no_customers: str
    no_numbers: str
    tested_right: str
    tested_wrong: str
    none_tested: str
    of_customer: str
    back: str
    number: str
    group: str
    standing: str
    history: str
    newest: str
    never: str
    right: str
    wrong: str
    live: str
    "Of a result: people's own phones rang."
    report: str
    not_the_same: str
    "Of a number that is red although its newest test has passed."
    see_red: str
    test: str
    test_number: str
    states: Mapping[Standing, str]
    counts: Mapping[Standing, str]
    strip: str
    "Of the history, for those who don't see it."
    past: str

    test_all: str
    runs: str
    run_goes_on: str
    causes: Mapping[Cause, str]
    run_states: Mapping[State, str]
    run_came_to: str

    going_title: str
    going_how: str
    starting: str
    progress: str
    now: str
    so_far_wrong: str
    stopped: str
    again: str
    gone_title: str
    gone: str
    problems: Mapping[str, str]
    problem: str
    "Any other."


_PL = ProofWords(
    title="Testy połączeń",
    how="Test dzwoni na numer w kopii centrali i sprawdza, czy dzwonią te telefony, które powinny, w takiej "
    "kolejności i tak długo, jak ustawiono. Zamiast telefonów ludzi dzwonią testowe, więc nikomu nic nie "
    "dzwoni.",
    customer="Klient",
    customers="Klienci",
    search_hint="login, nazwa",
    no_customers="Klienci pojawią się tu, gdy zostaną założeni.",
    no_numbers="Ten klient nie ma jeszcze numerów wewnętrznych ani grup.",
    tested_right="dzwoni dobrze: {count}",
    tested_wrong="dzwoni źle: {count}",
    none_tested="nic jeszcze nie testowano",
    of_customer="Testy połączeń: {customer}",
    back="Wszyscy klienci",
    number="Numer",
    group="grupa",
    standing="Wynik",
    history="Poprzednie testy",
    newest="Ostatni test",
    never="nigdy",
    right="{at}: dzwonił dobrze",
    wrong="{at}: dzwonił źle ({failed} z {calls} prób)",
    live="na prawdziwych telefonach",
    report="Zobacz wynik",
    not_the_same="Był dobry, ale nie sprawdzał tego, co zawiodło.",
    see_red="Co zawiodło",
    test="Testuj",
    test_number="Testuj numer {number}",
    states={
        Standing.RED: "dzwoni źle",
        Standing.CHANGED: "od zmiany nietestowany",
        Standing.NEVER: "nietestowany",
        Standing.PROVEN: "dzwoni dobrze",
    },
    counts={
        Standing.RED: "dzwonią źle",
        Standing.CHANGED: "nietestowane od zmiany",
        Standing.NEVER: "nietestowane",
        Standing.PROVEN: "dzwonią dobrze",
    },
    strip="Testy od najstarszego: dobrych {right}, złych {wrong}",
    past="Testy tego numeru, od najstarszego",
    test_all="Testuj wszystkie numery",
    runs="Testy wielu numerów naraz",
    run_goes_on="Trwa test wszystkich numerów. Wyniki pojawiają się na liście: odśwież stronę, by je "
    "zobaczyć.",
    causes={
        Cause.ASKED: "na żądanie",
        Cause.CHANGE: "po zmianie ustawień",
        Cause.NIGHTLY: "nocny",
        Cause.WEEKLY: "nocny, raz w tygodniu w pełnym czasie",
    },
    run_states={
        State.WAITING: "czeka",
        State.UNDER_WAY: "trwa",
        State.DONE: "skończony",
        State.UNFINISHED: "przerwany, bo skończył się jego czas",
    },
    run_came_to="dobrze: {green}, źle: {red}, bez zmian i bez testu: {unchanged}, nie udało się "
    "sprawdzić: {untested}",
    going_title="Trwa test numeru {number}",
    going_how="Zwykle trwa to mniej niż minutę, przy dużych grupach kilka minut. Możesz zamknąć tę stronę: "
    "test będzie trwał dalej, a jego wynik zostanie na liście.",
    starting="Przygotowuję telefony testowe…",
    progress="{done} z {calls} prób za nami",
    now="Teraz: {what}",
    so_far_wrong="Próby nieudane: {count}",
    stopped="Testu nie udało się zrobić.",
    again="Wróć do listy numerów",
    gone_title="Tego testu już nie ma",
    gone="Serwer pamięta ostatnie testy tylko do zatrzymania. Wyniki są na liście numerów.",
    problems={
        "too-many-test-calls": "Trwa już tyle testów, ile może. Poczekaj, aż któryś się skończy, i powtórz.",
        "no-calls-here": "Ten serwer nie obsługuje teraz połączeń. Poczekaj, aż wystartuje, i powtórz.",
        "test-call-broke": "Zawiodły telefony testowe, a nie centrala. Powtórz test.",
        "conflict": "W trakcie testu ktoś zmienił ustawienia centrali. Powtórz test.",
        "not-found": "Takiego numeru już nie ma. Wróć do listy numerów.",
        "bad-value": "Tego numeru nie da się testować, na przykład dlatego, że prowadzi do numeru "
        "alarmowego. Wybierz inny numer.",
        "database-away": "Baza danych nie odpowiada. Spróbuj ponownie za chwilę.",
    },
    problem="Powtórz test; jeśli to nie pomoże, przyczyna jest w dzienniku serwera.",
)
_EN = ProofWords(
    title="Test calls",
    how="A test calls a number in a copy of the switchboard, and looks whether those phones ring that "
    "should, "
    "in the order and for as long as is configured. Test phones stand in for people's: nobody's phone rings.",
    customer="Customer",
    customers="Customers",
    search_hint="login, name",
    no_customers="Customers are shown here once there are any.",
    no_numbers="This customer has no extensions and no groups yet.",
    tested_right="rings right: {count}",
    tested_wrong="rings wrong: {count}",
    none_tested="nothing was tested yet",
    of_customer="Test calls: {customer}",
    back="All customers",
    number="Number",
    group="group",
    standing="Result",
    history="Tests before",
    newest="Newest test",
    never="never",
    right="{at}: rang right",
    wrong="{at}: rang wrong ({failed} of {calls} calls)",
    live="with people's phones",
    report="See the result",
    not_the_same="It went right, but did not try what had failed.",
    see_red="What failed",
    test="Test",
    test_number="Test the number {number}",
    states={
        Standing.RED: "rings wrong",
        Standing.CHANGED: "not tested since a change",
        Standing.NEVER: "never tested",
        Standing.PROVEN: "rings right",
    },
    counts={
        Standing.RED: "ring wrong",
        Standing.CHANGED: "not tested since a change",
        Standing.NEVER: "never tested",
        Standing.PROVEN: "ring right",
    },
    strip="Tests, the oldest first: {right} right, {wrong} wrong",
    past="Tests of this number, the oldest first",
    test_all="Test all numbers",
    runs="Tests of many numbers",
    run_goes_on="All numbers are being tested. Results come into the list: load the page again to see them.",
    causes={
        Cause.ASKED: "asked for",
        Cause.CHANGE: "after a change",
        Cause.NIGHTLY: "at night",
        Cause.WEEKLY: "at night, once a week at full length",
    },
    run_states={
        State.WAITING: "waits",
        State.UNDER_WAY: "goes on",
        State.DONE: "done",
        State.UNFINISHED: "ended, for its time was over",
    },
    run_came_to="right: {green}, wrong: {red}, unchanged and left out: {unchanged}, not to be tested: "
    "{untested}",
    going_title="The number {number} is being tested",
    going_how="This mostly takes less than a minute, or a few minutes for large groups. You may close the "
    "page: the test goes on, and its result will be in the list.",
    starting="Getting the test phones ready…",
    progress="{done} of {calls} calls made",
    now="Now: {what}",
    so_far_wrong="Calls that went wrong: {count}",
    stopped="The test could not be made.",
    again="Back to the numbers",
    gone_title="This test is no longer there",
    gone="The server remembers tests until it is stopped. Results are in the list of numbers.",
    problems={
        "too-many-test-calls": "As many tests go on as there may be. Wait until one is over, then repeat "
        "this.",
        "no-calls-here": "This server takes no calls now. Wait until it is up, then repeat this.",
        "test-call-broke": "The test phones failed, and not the switchboard. Repeat the test.",
        "conflict": "Somebody changed the switchboard during the test. Repeat the test.",
        "not-found": "There is no such number any more. Go back to the list of numbers.",
        "bad-value": "This number can't be tested, for instance because it leads to an emergency number. "
        "Choose another one.",
        "database-away": "The database does not answer. Try again in a moment.",
    },
    problem="Repeat the test; if that does not help, the server's log says why.",
)

PROOF_WORDS = {"pl": _PL, "en": _EN}
