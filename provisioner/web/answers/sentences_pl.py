"""Polish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioner.operations.unrung import Known, Reason

_MEMBERS: Final = "Kolejność, opóźnienia i czasy dzwonienia ustawia się w grupie {of}."

ANSWERS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.RANG: (
        "Zadzwonił: o {at}, przez {seconds}.",
        "Jeśli nikt tego nie słyszał, sprawdź w telefonie głośność dzwonka i tryb „nie przeszkadzać”.",
    ),
    Reason.ANSWERED: ("Zadzwonił o {at} i ktoś tam odebrał po {seconds}.", "Nic nie trzeba robić."),
    Reason.NOT_REGISTERED: (
        "Żaden telefon numeru {who} nie był wtedy zarejestrowany w centrali: był wyłączony albo bez sieci.",
        "Sprawdź zasilanie i kabel sieciowy telefonu. Czy jest już zarejestrowany, widać na stronie "
        "Rejestracje.",
    ),
    Reason.SILENT_PHONE: (
        "Centrala wysłała połączenie do telefonu {who}, ale telefon nie odpowiedział, że dzwoni.",
        "Uruchom telefon ponownie. Jeśli to się powtarza, połączenia gubi sieć między nim a centralą.",
    ),
    Reason.CALLS_ITSELF: (
        "To numer {who} wykonywał to połączenie, a dzwoniący nie dzwoni do siebie.",
        "Nic nie trzeba robić.",
    ),
    Reason.DO_NOT_DISTURB: (
        "Numer {who} miał włączone „nie przeszkadzać”.",
        "Wyłącza się to kodem w telefonie (zwykle #26) albo w ustawieniach linii.",
    ),
    Reason.NO_CALL_WAITING: (
        "Numer {who} rozmawiał, a drugiego połączenia w trakcie rozmowy nie przyjmuje.",
        "Aby dzwoniło także wtedy, włącz dla tej linii połączenia oczekujące.",
    ),
    Reason.BUSY: (
        "Numer {who} był zajęty; z zapisu nie wynika czym.",
        "Sprawdź, czy ktoś wtedy nie rozmawiał.",
    ),
    Reason.PHONE_BUSY: (
        "Telefon {who} sam odpowiedział, że jest zajęty: ktoś rozmawiał albo w telefonie włączono „nie "
        "przeszkadzać”.",
        "Sprawdź tryb „nie przeszkadzać” na wyświetlaczu telefonu.",
    ),
    Reason.FULL: (
        "Numer {who} miał już tyle rozmów, na ile pozwala jego linia.",
        "Więcej rozmów naraz pozwala ustawić usługa „połączenia jednoczesne” albo inny produkt.",
    ),
    Reason.SITE_FULL: (
        "W lokalizacji numeru {who} trwało już tyle rozmów, ile może.",
        "Zwiększ liczbę połączeń jednoczesnych lokalizacji albo ustaw dla {who} przekierowanie, gdy zajęty.",
    ),
    Reason.DECLINED: (
        "W telefonie {who} odrzucono połączenie, zanim zdążył zadzwonić.",
        "Zapytaj, kto i dlaczego odrzucił.",
    ),
    Reason.REFUSED: (
        "Telefon {who} nie przyjął połączenia (odpowiedział {status}).",
        "Sprawdź ustawienia telefonu, na przykład kodeki, albo uruchom go ponownie.",
    ),
    Reason.MOVED: (
        "Telefon {who} sam skierował połączenie pod inny numer.",
        "Wyłącz przekierowanie w samym telefonie, jeśli ma dzwonić.",
    ),
    Reason.TOO_LATE: (
        "Zanim telefon {who} zdążył zadzwonić, odebrał numer {other}.",
        "Nic nie trzeba robić: tak działa grupa, w której odbiera pierwszy.",
    ),
    Reason.GIVEN_UP_AT_ONCE: (
        "Dzwoniący rozłączył się, zanim telefon {who} zdążył zadzwonić.",
        "Nic nie trzeba robić.",
    ),
    Reason.CUT_OFF: (
        "Połączenie skończyło się wcześniej: {case}.",
        "Jeśli to się powtarza, sprawdź dziennik serwera.",
    ),
    Reason.NO_LINE: ("Numer {who} nie ma linii, więc nie ma co dzwonić.", "Przypisz mu linię."),
    Reason.CALLER_FULL: (
        "Dzwoniący miał już tyle rozmów, na ile pozwala jego linia, i połączenie w ogóle nie wyszło.",
        "Więcej rozmów naraz pozwala ustawić usługa „połączenia jednoczesne” albo inny produkt dzwoniącego.",
    ),
    Reason.CALLER_SITE_FULL: (
        "W lokalizacji dzwoniącego trwało już tyle rozmów, ile może, i połączenie w ogóle nie wyszło.",
        "Zwiększ liczbę połączeń jednoczesnych lokalizacji dzwoniącego.",
    ),
    Reason.CODE: ("Wybrano kod usługi, a nie numer: nikt nie miał zadzwonić.", "Nic nie trzeba robić."),
    Reason.NO_SUCH_NUMBER: (
        "Wybranego numeru {dialled} nikt nie miał.",
        "Sprawdź, czy numer wybrano dobrze, albo go załóż.",
    ),
    Reason.NOT_LED_TO: (
        "Wybrany numer {dialled} nie prowadzi do {who}. Prowadzi do: {led_to}.",
        "Jeśli {who} ma dzwonić, dodaj go do grupy, którą się wybiera, albo ustaw na niego przekierowanie.",
    ),
    Reason.LOGGED_OUT: (
        "Numer {who} był wylogowany z grupy {of}.",
        "Loguje się kodem w telefonie (zwykle *50) albo w ustawieniach grupy.",
    ),
    Reason.AFTER_STOP: (
        "W grupie {of} po numerze {other} nikt już nie dzwoni: ma on ustawione zatrzymanie.",
        "Wyłącz zatrzymanie przy numerze {other} albo ustaw {who} przed nim.",
    ),
    Reason.FORWARDED_AWAY: (
        "Numer {who} ma włączone przekierowanie wszystkich połączeń na {other}, więc sam nie dzwoni.",
        "Wyłącza się je kodem w telefonie (zwykle #21#) albo w ustawieniach linii.",
    ),
    Reason.FORWARDING_OFF: (
        "Połączenie mogło tu trafić tylko przez przekierowanie numeru {of} ({case}), a ono jest wyłączone.",
        "Włącz to przekierowanie albo dodaj {who} do grupy.",
    ),
    Reason.FORWARDING_NOT_DUE: (
        "Numer {of} przekierowuje tu połączenia tylko {case}, a tym razem stało się co innego: {other}.",
        "Ustaw przekierowanie także na ten przypadek, jeśli ma tu wtedy dzwonić.",
    ),
    Reason.NOT_ITS_TURN_ANSWERED: (
        "Zanim przyszła kolej na {who}, odebrał numer {other}.",
        "To zgodne z ustawieniem. " + _MEMBERS,
    ),
    Reason.NOT_ITS_TURN_GIVEN_UP: (
        "Dzwoniący rozłączył się po {seconds}, zanim przyszła kolej na {who}.",
        "Jeśli dzwoniący czekają za długo, skróć czasy dzwonienia albo ustaw {who} wcześniej. " + _MEMBERS,
    ),
    Reason.DELAY_ANSWERED: (
        "Numer {who} zaczyna dzwonić w grupie {of} dopiero po {seconds}, a wcześniej odebrał numer {other}.",
        "To zgodne z ustawieniem. " + _MEMBERS,
    ),
    Reason.DELAY_GIVEN_UP: (
        "Numer {who} zaczyna dzwonić w grupie {of} dopiero po {seconds}, a dzwoniący rozłączył się "
        "wcześniej.",
        "Jeśli to za długo, zmniejsz opóźnienie. " + _MEMBERS,
    ),
    Reason.OVERFLOW_ANSWERED: (
        "Numer {who} dzwoni dopiero wtedy, gdy w grupie {of} nikt nie odbierze, a odebrał numer {other}.",
        "To zgodne z ustawieniem.",
    ),
    Reason.OVERFLOW_GIVEN_UP: (
        "Numer {who} dzwoni dopiero wtedy, gdy w grupie {of} nikt nie odbierze, a dzwoniący rozłączył "
        "się po {seconds}.",
        "Jeśli dzwoniący czekają za długo, skróć czasy dzwonienia w grupie {of}.",
    ),
    Reason.GROUP_TIME_OVER: (
        "Grupa {of} dzwoni jako część innej grupy przez {seconds} i ten czas minął, zanim przyszła "
        "kolej na {who}.",
        "Wydłuż czas dzwonienia grupy {of} w tamtej grupie albo skróć czasy numerów przed {who}.",
    ),
    Reason.MAY_COME: (
        "Połączenie jeszcze trwa i numer {who} może jeszcze zadzwonić.",
        "Zapytaj, gdy się skończy.",
    ),
    Reason.UNKNOWN: (
        "Tego z zapisu połączenia nie widać.",
        "Test połączeń z tym numerem pokaże, kto dzwoni, a kto nie.",
    ),
}

KNOWN: Final[Mapping[Known, str]] = {
    Known.RECORD: "Tak mówi zapis tego połączenia.",
    Known.THEN: "Tak mówi zapis tego połączenia i ustawienia z tamtej chwili.",
    Known.TODAY: "Ustawień z tamtej chwili nie zapisano; odpowiedź opiera się na dzisiejszych, a tamte "
    "mogły być inne.",
}

CASES: Final[Mapping[str, str]] = {
    "always": "zawsze",
    "busy": "gdy zajęte",
    "no_answer": "gdy nikt nie odbiera",
    "unreachable": "gdy telefon jest niedostępny",
}
