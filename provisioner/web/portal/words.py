"""What the pages say, in each language; the type checker finds a word that a language lacks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. What stands in braces is filled in."""

    code: str
    "As HTML and browsers call the language."

    log_in_title: str
    login: str
    password: str
    log_in: str
    log_out: str
    wrong_password: str
    try_later: str

    day: str
    "A day as `strftime` writes it."
    skip: str
    to_start: str

    registrations: str
    search: str
    search_hint: str
    choose: str
    every_state: str
    state_live: str
    state_dark: str
    state_reachable: str
    state_registered: str
    state_unreachable: str
    state_expired: str
    state_unregistered: str
    state_displaced: str
    state_revoked: str
    state_never: str
    show: str
    clear: str

    live: str
    connecting: str
    connection_lost: str

    lines_registered: str
    of_these_reachable: str
    of_these_unreachable: str
    lines_chosen: str

    line: str
    phone: str
    state: str
    contact: str
    time: str
    last_day: str

    since: str
    until: str
    heard: str
    ended: str
    answer_ms: str
    refreshes: str
    not_listed: str
    said_otherwise: str
    otherwise_model: str
    otherwise_firmware: str
    otherwise_mac: str
    firmware: str

    rung_listed: str
    rung_contacted: str
    rung_fetched: str
    rung_current: str
    rung_registered: str
    rung_reachable: str
    rung_proven: str
    ladder: str

    was_reachable: str
    was_registered: str
    was_unreachable: str
    was_gone: str
    was_unknown: str

    nothing: str
    nothing_hint: str
    no_lines_yet: str
    no_calls_yet: str
    first_page: str
    next_page: str

    test_calls: str
    calls: str
    search_calls_hint: str
    calls_live: str
    calls_answered: str
    calls_unanswered: str
    alarms: str
    search_alarms_hint: str
    no_alarms_yet: str
    alarms_waiting: str
    alarms_seen: str
    alarms_over: str
    call_talking: str
    call_ringing: str
    count_talking: str
    count_ringing: str
    count_answered: str
    count_unanswered: str
    from_to: str
    began: str
    story: str
    of_group: str
    rang: str
    talked: str

    end_caller: str
    end_callee: str
    end_nobody: str
    end_operator: str
    end_vanished: str
    end_failed: str
    end_service: str
    end_transferred: str
    end_server_stopped: str
    end_server_restarted: str

    status_403: str
    "What callers are told with the status of an answer; of those that say more than that nobody answered."
    status_404: str
    status_486: str
    status_488: str
    status_503: str
    status_603: str

    leg_ringing: str
    leg_tried: str
    leg_not_registered: str
    leg_answered: str
    leg_busy: str
    leg_full: str
    leg_site_full: str
    leg_declined: str
    leg_no_answer: str
    leg_unreachable: str
    leg_refused: str
    leg_moved: str
    leg_elsewhere: str
    leg_given_up: str

    def named(self, family: str, name: str) -> str:
        """The word of that name of a family, such as `end` and `server-restarted`; empty: there is none."""
        return str(getattr(self, f"{family}_{name.replace('-', '_')}", ""))


PL = Words(
    code="pl",
    log_in_title="Logowanie",
    login="Login",
    password="Hasło",  # noqa: S106
    log_in="Zaloguj się",
    log_out="Wyloguj",
    wrong_password="Zły login albo hasło. Popraw i spróbuj jeszcze raz.",  # noqa: S106
    try_later="Za dużo prób. Spróbuj ponownie za {seconds} s.",
    day="%d.%m",
    skip="Przejdź do treści",
    to_start="Na początek",
    registrations="Rejestracje",
    search="Szukaj",
    search_hint="numer, nazwa, MAC, model, adres",
    choose="Stan",
    every_state="wszystkie",
    state_live="zarejestrowane",
    state_dark="niezarejestrowane",
    state_reachable="osiągalny",
    state_registered="zarejestrowany",
    state_unreachable="nie odpowiada",
    state_expired="rejestracja wygasła",
    state_unregistered="wyrejestrował się",
    state_displaced="wyparty przez inny",
    state_revoked="hasło linii zmienione",
    state_never="niezarejestrowany",
    show="Pokaż",
    clear="Wyczyść",
    live="na żywo",
    connecting="łączę…",
    connection_lost="brak połączenia, dane mogą być nieaktualne",
    lines_registered="linie zarejestrowane",
    of_these_reachable="rejestracje osiągalne",
    of_these_unreachable="rejestracje bez odpowiedzi",
    lines_chosen="linie na liście",
    line="Linia",
    phone="Telefon",
    state="Stan",
    contact="Kontakt",
    time="Czas",
    last_day="Ostatnie 24 h",
    since="od",
    until="do",
    heard="słyszany",
    ended="koniec",
    answer_ms="odpowiedź w {ms} ms",
    refreshes="odświeżeń: {count}",
    not_listed="telefon spoza listy",
    said_otherwise="przedstawia się inaczej: {what}",
    otherwise_model="model",
    otherwise_firmware="oprogramowanie",
    otherwise_mac="adres MAC",
    firmware="oprogramowanie",
    rung_listed="na liście",
    rung_contacted="odezwał się",
    rung_fetched="pobrał konfigurację",
    rung_current="ma bieżącą",
    rung_registered="zarejestrowany",
    rung_reachable="osiągalny",
    rung_proven="sprawdzony próbą",
    ladder="Jak daleko zaszedł: {steps}",
    was_reachable="osiągalny",
    was_registered="zarejestrowany",
    was_unreachable="nie odpowiadał",
    was_gone="niezarejestrowany",
    was_unknown="brak danych",
    nothing="Nic tu nie ma",
    nothing_hint="Zmień kryteria albo wyczyść wyszukiwanie.",
    no_lines_yet="Linie i telefony pojawią się tu, gdy zostaną założone.",
    no_calls_yet="Połączenia pojawią się tu, gdy ktoś zadzwoni.",
    first_page="Pierwsza strona",
    next_page="Następna strona",
    test_calls="Testy",
    calls="Połączenia",
    search_calls_hint="numer, nazwa",
    calls_live="trwające",
    calls_answered="odebrane",
    calls_unanswered="nieodebrane",
    alarms="Alarmy",
    search_alarms_hint="numer, MAC, adres, klient",
    no_alarms_yet="Gdy stanie się coś, na co trzeba spojrzeć, pojawi się to tutaj.",
    alarms_waiting="czekające",
    alarms_seen="załatwione",
    alarms_over="zakończone",
    call_talking="rozmowa",
    call_ringing="dzwoni",
    count_talking="rozmowy w toku",
    count_ringing="dzwoni teraz",
    count_answered="odebrane w 24 h",
    count_unanswered="nieodebrane w 24 h",
    from_to="Kto do kogo",
    began="Początek",
    story="Gdzie dzwoniło",
    of_group="grupa {groups}",
    rang="dzwoniło {length}",
    talked="rozmowa {length}",
    end_caller="rozłączył dzwoniący",
    end_callee="rozłączył odbierający",
    end_nobody="nikt nie odebrał",
    end_operator="rozłączyła obsługa",
    end_vanished="telefon zniknął",
    end_failed="nie udało się",
    end_service="kod usługi",
    end_transferred="przekazane dalej",
    end_server_stopped="zatrzymanie serwera",
    end_server_restarted="restart serwera",
    status_403="niedozwolone",
    status_404="nie ma takiego numeru",
    status_486="zajęte",
    status_488="telefony nie mają wspólnego formatu dźwięku",
    status_503="centrala nie mogła go obsłużyć",
    status_603="odrzucone",
    leg_ringing="dzwoni",
    leg_tried="łączy się",
    leg_not_registered="niezarejestrowany",
    leg_answered="odebrał",
    leg_busy="zajęty",
    leg_full="tyle połączeń, na ile pozwala linia",
    leg_site_full="tyle połączeń, na ile pozwala lokalizacja",
    leg_declined="odrzucił",
    leg_no_answer="nie odebrał",
    leg_unreachable="nieosiągalny",
    leg_refused="nie przyjął",
    leg_moved="skierował gdzie indziej",
    leg_elsewhere="odebrał kto inny",
    leg_given_up="dzwoniący zrezygnował",
)

EN = Words(
    code="en",
    log_in_title="Log in",
    login="Login",
    password="Password",  # noqa: S106
    log_in="Log in",
    log_out="Log out",
    wrong_password="Wrong login or password. Correct it and try again.",  # noqa: S106
    try_later="Too many tries. Try again in {seconds} s.",
    day="%d %b",
    skip="Skip to the content",
    to_start="To the start",
    registrations="Registrations",
    search="Search",
    search_hint="number, name, MAC, model, address",
    choose="State",
    every_state="all",
    state_live="registered",
    state_dark="not registered",
    state_reachable="reachable",
    state_registered="registered",
    state_unreachable="does not answer",
    state_expired="registration ran out",
    state_unregistered="unregistered itself",
    state_displaced="displaced by another",
    state_revoked="line has a new password",
    state_never="not registered",
    show="Show",
    clear="Clear",
    live="live",
    connecting="connecting…",
    connection_lost="connection lost, this may be out of date",
    lines_registered="lines registered",
    of_these_reachable="registrations reachable",
    of_these_unreachable="registrations not answering",
    lines_chosen="lines listed",
    line="Line",
    phone="Phone",
    state="State",
    contact="Contact",
    time="Time",
    last_day="Last 24 h",
    since="since",
    until="until",
    heard="heard",
    ended="ended",
    answer_ms="answers in {ms} ms",
    refreshes="refreshed: {count}",
    not_listed="not a listed phone",
    said_otherwise="calls itself otherwise: {what}",
    otherwise_model="model",
    otherwise_firmware="firmware",
    otherwise_mac="MAC address",
    firmware="firmware",
    rung_listed="listed",
    rung_contacted="contacted us",
    rung_fetched="fetched its file",
    rung_current="has the current one",
    rung_registered="registered",
    rung_reachable="reachable",
    rung_proven="proven by a test call",
    ladder="How far it came: {steps}",
    was_reachable="reachable",
    was_registered="registered",
    was_unreachable="did not answer",
    was_gone="not registered",
    was_unknown="nothing known",
    nothing="Nothing is here",
    nothing_hint="Choose otherwise, or clear the search.",
    no_lines_yet="Lines and phones are shown here once there are any.",
    no_calls_yet="Calls are shown here once somebody calls.",
    first_page="First page",
    next_page="Next page",
    test_calls="Test calls",
    calls="Calls",
    search_calls_hint="number, name",
    calls_live="going on",
    calls_answered="answered",
    calls_unanswered="not answered",
    alarms="Alarms",
    search_alarms_hint="number, MAC, address, customer",
    no_alarms_yet="What somebody has to look at is shown here once it happens.",
    alarms_waiting="waiting",
    alarms_seen="seen to",
    alarms_over="over",
    call_talking="talking",
    call_ringing="ringing",
    count_talking="talking now",
    count_ringing="ringing now",
    count_answered="answered in 24 h",
    count_unanswered="not answered in 24 h",
    from_to="Who to whom",
    began="Began",
    story="Who rang",
    of_group="group {groups}",
    rang="rang {length}",
    talked="talked {length}",
    end_caller="the caller hung up",
    end_callee="the callee hung up",
    end_nobody="nobody answered",
    end_operator="the staff hung up",
    end_vanished="a phone vanished",
    end_failed="failed",
    end_service="a code",
    end_transferred="transferred",
    end_server_stopped="server stopped",
    end_server_restarted="server restarted",
    status_403="not allowed",
    status_404="no such number",
    status_486="busy",
    status_488="the phones have no audio format in common",
    status_503="the switchboard could not take it",
    status_603="turned down",
    leg_ringing="rings",
    leg_tried="is tried",
    leg_not_registered="not registered",
    leg_answered="answered",
    leg_busy="busy",
    leg_full="as many calls as the line may have",
    leg_site_full="as many calls as the site may have",
    leg_declined="turned it down",
    leg_no_answer="did not answer",
    leg_unreachable="out of reach",
    leg_refused="refused",
    leg_moved="sent it elsewhere",
    leg_elsewhere="somebody else answered",
    leg_given_up="the caller gave up",
)

LANGUAGES = {words.code: words for words in (PL, EN)}


def words_for(accepted: str) -> Words:
    """The first of our languages that `Accept-Language` names; Polish where it names none."""
    for part in accepted.split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return LANGUAGES[code]
    return PL
