"""The sentences of findings in Polish. What stands in braces is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioner.web.call_report.meanings import Meaning
from sip.testcall.findings import Code
from sip.testcall.observed import Light
from sip.testcall.plan import Does, Setting
from sip.testcall.scenario import Kind

FINDINGS: Final[Mapping[Code, str]] = {
    Code.NOT_REGISTERED: "Telefon testowy {who} nie zarejestrował się, więc ta próba niczego nie dowodzi.",
    Code.PHONE_FAILED: "Telefon testowy {who} zawiódł, więc ta próba niczego nie dowodzi. Powód: {seen}.",
    Code.NOT_DIALLED: "Telefon testowy nie wybrał numeru, więc ta próba niczego nie dowodzi.",
    Code.DID_NOT_RING: "Telefon {who} nie zadzwonił, a powinien.",
    Code.RANG_WRONGLY: "Telefon {who} zadzwonił, a nie powinien.",
    Code.STRANGER_RANG: "Telefon {who} zadzwonił, choć żadne ustawienie do niego nie prowadzi.",
    Code.RANG_AGAIN: "Telefon {who} zadzwonił więcej razy, niż powinien: {seen} zamiast {expected}.",
    Code.SENT_ON: "Telefon {who} sam przekierowuje połączenia; nie ma tego w ustawieniach centralki.",
    Code.WRONG_ORDER: "Zła kolejność: {seen}. Powinno być: {expected}.",
    Code.NOT_TOGETHER: "Telefon {who} nie zaczął dzwonić razem z innymi, tylko {seen} s po nich.",
    Code.TOO_EARLY: "Telefon {who} zaczął dzwonić za wcześnie: po {seen} s zamiast po {expected} s.",
    Code.TOO_LATE: "Telefon {who} zaczął dzwonić za późno: po {seen} s zamiast po {expected} s.",
    Code.TOO_SHORT: "Telefon {who} dzwonił za krótko: {seen} s zamiast {expected} s.",
    Code.TOO_LONG: "Telefon {who} dzwonił za długo: {seen} s zamiast {expected} s.",
    Code.RANG_ON: "Telefon {who} nie przestał dzwonić, kiedy powinien. Dzwonił jeszcze: {seen} s.",
    Code.MISSED_CALL: "Telefon {who} pokaże nieodebrane połączenie, choć odebrał je ktoś inny.",
    Code.FALSE_ELSEWHERE: "Telefon {who} nie pokaże nieodebranego połączenia, choć nikt go nie odebrał.",
    Code.NO_WINNER: "Nikt nie dostał rozmowy, a powinien ją dostać telefon {expected}.",
    Code.WRONG_WINNER: "Rozmowę dostał telefon {seen}. Powinien: {expected}.",
    Code.TWO_WINNERS: "Rozmowę dostało kilka telefonów naraz: {seen}. Powinien jeden.",
    Code.CALLER_NOT_CONNECTED: "Telefon odebrał, ale dzwoniący się o tym nie dowiedział.",
    Code.ANSWERED_BY_NOBODY: "Dzwoniący usłyszał, że ktoś odebrał, choć nie odebrał nikt.",
    Code.NO_RINGBACK: "Telefony dzwoniły, ale dzwoniący nie dostał sygnału, że dzwonią.",
    Code.SLOW: "Dzwoniący dostał sygnał dopiero {seen} s po tym, jak zadzwonił pierwszy telefon.",
    Code.NOT_TURNED_DOWN: "Nikt nie odebrał, ale dzwoniący czekał dalej, bo nikt mu tego nie powiedział.",
    Code.WRONG_STATUS: "Dzwoniący dostał złą odpowiedź: {seen} zamiast {expected}.",
    Code.WRONG_NUMBER: "Telefon {who} pokazał numer {seen} zamiast {expected}.",
    Code.WRONG_NAME: "Telefon {who} pokazał nazwę „{seen}” zamiast „{expected}”.",
    Code.NOT_HIDDEN: "Telefon {who} pokazał, kto dzwoni ({seen}), choć dzwoniący ukrył swój numer.",
    Code.WRONG_RING: "Telefon {who} zadzwonił nie tym dzwonkiem. Powinien: {expected}. Było: {seen}.",
    Code.NO_AUDIO: "Rozmówcy wcale się nie słyszeli.",
    Code.ONE_WAY_AUDIO: "Dźwięk szedł tylko w jedną stronę: telefon {who} nie słyszał telefonu {expected}.",
    Code.WRONG_AUDIO: "Telefon {who} słyszał kogoś spoza rozmowy: {seen}.",
    Code.LOSS: "Do telefonu {who} nie dotarło {seen} dźwięku; może ginąć najwyżej {expected}.",
    Code.NOT_HUNG_UP: "Dzwoniący się rozłączył, ale telefon {who} się o tym nie dowiedział.",
    Code.CUT_OFF: "Rozmowa urwała się po {seen} s, zanim ktokolwiek się rozłączył.",
    Code.CODE_REFUSED: "Centrala nie przyjęła kodu {expected} z telefonu {who}. Odpowiedź: {seen}.",
    Code.CODE_IDLE: "Centrala przyjęła kod {expected} z telefonu {who}, ale nic to nie zmieniło.",
    Code.LAMP_REFUSED: "Telefon {who} nie może pokazać na lampce, co robi ten numer: odpowiedź {seen}.",
    Code.LAMP_WRONG: "Lampka w telefonie {who} pokazała „{seen}” zamiast „{expected}”.",
    Code.LAMP_LATE: "Lampka w telefonie {who} pokazała „{expected}” dopiero po {seen} s.",
    Code.NOT_RANDOM: "Kolejność nie jest losowa: przypadek dobiera tak rzadziej niż raz na milion ({seen}).",
}

BLAMES: Final[Mapping[Setting, str]] = {
    Setting.STRATEGY: "strategia grupy {of} (w jakiej kolejności dzwonią jej numery)",
    Setting.MEMBERS: "numery w grupie {of}",
    Setting.RING_DELAY: "opóźnienie dzwonienia numeru {member} w grupie {of}",
    Setting.RING_TIME: "czas dzwonienia numeru {member} w grupie {of}",
    Setting.STOP: "zatrzymanie na jednym z numerów grupy {of}",
    Setting.LOGGED_IN: "wylogowanie numeru {member} z grupy {of}",
    Setting.PRESENTATION: "prezentacja dzwoniącego w grupie {of} (co pokazują wyświetlacze)",
    Setting.OVERFLOW: "dokąd grupa {of} kieruje nieodebrane połączenia",
    Setting.SKIP_FORWARDING: "pominięcie przekierowań numeru {member} w grupie {of}",
    Setting.FORWARD_ALWAYS: "przekierowanie bezwarunkowe: {of}",
    Setting.FORWARD_BUSY: "przekierowanie przy zajętości: {of}",
    Setting.FORWARD_NO_ANSWER: "przekierowanie przy braku odpowiedzi: {of}",
    Setting.FORWARD_UNREACHABLE: "przekierowanie przy niedostępności: {of}",
    Setting.DND: "nie przeszkadzać: {of}",
    Setting.LINE: "linia przypisana do numeru {of}",
    Setting.SHORT_NUMBER: "numer skrócony {of}",
    Setting.HIDE_NUMBER: "ukrywanie numeru",
    Setting.DISTINCTIVE_RING: "rozróżnienie dzwonka",
    Setting.CODE: "kod {of}",
    Setting.LAMP: "lampka (BLF) numeru {of}",
    Setting.CALLER: "numer i nazwa dzwoniącego",
    Setting.EXCHANGE: "sama centrala, a nie ustawienie",
    Setting.PHONE: "telefon {of} albo sieć między nim a centralą",
}

DOES: Final[Mapping[Does, str]] = {
    Does.HIDE_NUMBER: "ukrywa numer w jednym połączeniu",
    Does.SHOW_NUMBER: "pokazuje numer w jednym połączeniu",
    Does.DND_ON: "włącza „nie przeszkadzać”",
    Does.DND_OFF: "wyłącza „nie przeszkadzać”",
    Does.FORWARD_ALWAYS_ON: "przekierowuje wszystkie połączenia",
    Does.FORWARD_ALWAYS_OFF: "odwołuje przekierowanie wszystkich połączeń",
    Does.FORWARD_BUSY_ON: "przekierowuje połączenia, gdy linia jest zajęta",
    Does.FORWARD_BUSY_OFF: "odwołuje przekierowanie przy zajętości",
    Does.FORWARD_NO_ANSWER_ON: "przekierowuje połączenia, których nikt nie odbiera",
    Does.FORWARD_NO_ANSWER_OFF: "odwołuje przekierowanie przy braku odpowiedzi",
    Does.FORWARD_UNREACHABLE_ON: "przekierowuje połączenia, gdy telefon jest wyłączony",
    Does.FORWARD_UNREACHABLE_OFF: "odwołuje przekierowanie przy wyłączonym telefonie",
    Does.GROUP_LOGIN: "loguje do grupy",
    Does.GROUP_LOGOUT: "wylogowuje z grupy",
}

SCENARIOS: Final[Mapping[Kind, str]] = {
    Kind.FIRST_ANSWERS: "Każdy chce odebrać: rozmowę dostaje tylko jeden",
    Kind.RACE: "Wszyscy odbierają w tej samej chwili: rozmowę dostaje tylko jeden",
    Kind.LAST_ANSWERS: "Odbiera dopiero ostatni",
    Kind.NO_ANSWER: "Nikt nie odbiera",
    Kind.BUSY: "Pierwszy jest zajęty",
    Kind.DECLINED: "Pierwszy odrzuca połączenie",
    Kind.UNREGISTERED: "Pierwszy telefon jest wyłączony",
    Kind.CALLER_GIVES_UP: "Dzwoniący rozłącza się, zanim ktoś odbierze",
    Kind.HIDDEN: "Dzwoniący ukrywa swój numer",
    Kind.LIVE: "Dzwonią prawdziwe telefony",
    Kind.SHORT_NUMBER: "Dzwoniący wybiera numer skrócony",
    Kind.LAMP: "Lampka w telefonie kolegi pokazuje, co robi numer",
    Kind.SHOWN: "Dzwoniący kodem pozwala pokazać swój numer",
    Kind.DND_DIALLED: "Odbierający włączył kodem „nie przeszkadzać”",
    Kind.DND_TAKEN_BACK: "Odbierający włączył kodem „nie przeszkadzać” i wyłączył",
    Kind.FORWARD_DIALLED: "Odbierający przekierował kodem wszystkie połączenia",
    Kind.FORWARD_TAKEN_BACK: "Odbierający przekierował kodem wszystkie połączenia i to odwołał",
    Kind.BUSY_DIALLED: "Odbierający przekierował kodem połączenia, gdy jest zajęty",
    Kind.BUSY_TAKEN_BACK: "Przekierowanie przy zajętości włączone kodem i odwołane",
    Kind.NO_ANSWER_DIALLED: "Odbierający przekierował kodem połączenia, gdy nie odbiera",
    Kind.NO_ANSWER_TAKEN_BACK: "Przekierowanie przy braku odpowiedzi włączone kodem i odwołane",
    Kind.UNREACHABLE_DIALLED: "Odbierający przekierował kodem połączenia, gdy jest niedostępny",
    Kind.UNREACHABLE_TAKEN_BACK: "Przekierowanie przy niedostępności włączone kodem i odwołane",
    Kind.LOGGED_OUT: "Członek grupy wylogował się z niej kodem",
    Kind.LOGGED_IN: "Członek grupy wylogował się z niej kodem i zalogował",
}

MEANINGS: Final[Mapping[Meaning, str]] = {
    Meaning.CALL: "Proszę o połączenie z numerem {number}.",
    Meaning.CALL_AGAIN: "Jeszcze raz proszę o {number}, teraz z dowodem, kto dzwoni.",
    Meaning.RING: "Masz połączenie, dzwoń.",
    Meaning.CHANGE: "Zmieniam coś w rozmowie, na przykład ją wstrzymuję.",
    Meaning.ACKNOWLEDGE: "Przyjęte.",
    Meaning.CANCEL: "Nie trzeba już dzwonić.",
    Meaning.HANG_UP: "Rozłączam się.",
    Meaning.TRANSFER: "Połącz z numerem {number}.",
    Meaning.WATCH: "Chcę wiedzieć, gdy coś się zmieni: {number}.",
    Meaning.NEWS: "Coś się zmieniło, daję znać.",
    Meaning.OTHER: "Inna wiadomość.",
    Meaning.WHO_ARE_YOU: "Najpierw pokaż, kim jesteś.",
    Meaning.WAIT: "Chwileczkę.",
    Meaning.RINGS: "Dzwoni.",
    Meaning.HEAR: "Jeszcze nikt nie odebrał, ale już coś słychać.",
    Meaning.ANSWERED: "Odebrane.",
    Meaning.FINE: "Dobrze.",
    Meaning.ELSEWHERE: "Szukaj pod innym numerem.",
    Meaning.NO_SUCH_NUMBER: "Nie ma takiego numeru.",
    Meaning.NOBODY: "Nikt nie odebrał.",
    Meaning.BUSY: "Zajęte.",
    Meaning.STOPPED: "Przestało dzwonić.",
    Meaning.DECLINED: "Odrzucone.",
    Meaning.REFUSED: "Nie da się połączyć.",
}
"As who sends the message would say it."

LIGHTS: Final[Mapping[str, str]] = {
    Light.DARK: "nic się nie dzieje",
    Light.RINGS: "dzwoni",
    Light.TALKS: "rozmawia",
}

SINGLE: Final[Mapping[Kind, str]] = {
    Kind.FIRST_ANSWERS: "Telefon odbiera",
    Kind.BUSY: "Telefon jest zajęty",
    Kind.DECLINED: "Telefon odrzuca połączenie",
    Kind.UNREGISTERED: "Telefon jest wyłączony",
}
"Where there is but one phone."
