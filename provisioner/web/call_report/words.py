"""What a report of test calls says, in each language; the type checker finds a word that a language lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisioner.web.call_report import sentences_en, sentences_pl
from provisioner.web.call_report.meanings import Meaning
from sip.testcall.findings import Code
from sip.testcall.plan import Does, Setting
from sip.testcall.scenario import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. What stands in braces is filled in."""

    code: str
    "As HTML and browsers call the language."
    comma: str
    "Of decimal numbers."
    findings: Mapping[Code, str]
    blames: Mapping[Setting, str]
    does: Mapping[Does, str]
    "What a code is there for."
    scenarios: Mapping[Kind, str]
    single: Mapping[Kind, str]
    "Scenarios, otherwise said where there is but one phone."
    lights: Mapping[str, str]
    "What lamps show, by `Light`."
    meanings: Mapping[Meaning, str]
    "Of SIP messages."
    status: str
    "Of an answer, with what it means."

    title: str
    passed: str
    failed: str
    count_passed: str
    count_failed: str
    how: str
    how_live: str
    hastened: str
    made: str
    calls: str
    right: str
    wrong: str
    at_fault: str
    failed_of: str
    in_call: str
    in_calls: str

    caller: str
    dialled: str
    shown: str
    waits: str
    silent: str
    absent: str
    engaged: str
    dead: str
    rang: str
    answered: str
    refused: str
    stopped: str
    rings_on: str
    talked: str
    hears_both: str
    hears_caller_only: str
    hears_answerer_only: str
    hears_none: str
    hears_person: str
    hears_no_person: str
    turned_down: str
    found_busy: str
    found_declined: str
    gave_up: str
    told: str
    nothing: str
    anonymous: str
    inside: str
    usual: str

    legend: str
    legend_rang: str
    legend_answered: str
    legend_talk: str
    legend_wrong: str
    legend_foretold: str
    seconds: str

    ladder: str
    ladder_how: str
    switchboard: str


PL = Words(
    code="pl",
    comma=",",
    findings=sentences_pl.FINDINGS,
    blames=sentences_pl.BLAMES,
    does=sentences_pl.DOES,
    scenarios=sentences_pl.SCENARIOS,
    single=sentences_pl.SINGLE,
    lights=sentences_pl.LIGHTS,
    meanings=sentences_pl.MEANINGS,
    status="„{meaning}” ({status})",
    title="Test połączeń z numerem {number}",
    passed="Numer {number} dzwoni tak, jak go ustawiono.",
    failed="Numer {number} nie dzwoni tak, jak go ustawiono.",
    count_passed="próby udane",
    count_failed="próby nieudane",
    how="Zamiast telefonów firmy {customer} dzwoniły telefony testowe, więc nikomu nic nie zadzwoniło. "
    "Każdy z nich sam zapisał, co widział i słyszał; z tego jest ten wynik.",
    how_live="Dzwoniły prawdziwe telefony firmy {customer}. Wynik wzięto z tego, co same odpowiadały "
    "centralce, i z tego, co widział i słyszał telefon testowy, który dzwonił.",
    hastened="Żeby nikt nie czekał, czasy dzwonienia i opóźnienia podzielono przez {speed}.",
    made="Test zrobiono {at}.",
    calls="Próby",
    right="tak jak ustawiono",
    wrong="nie tak, jak ustawiono",
    at_fault="Co zawiodło",
    failed_of="Nieudane próby: {failed} z {calls}.",
    in_call="próba",
    in_calls="próby",
    caller="dzwoniący",
    dialled="z numeru {caller} wybiera {number}",
    shown="Na wyświetlaczu: {who}",
    waits="czeka {length}\u00a0s",
    silent="nie dzwonił",
    absent="wyłączony",
    engaged="zajęty inną rozmową",
    dead="nie odpowiada",
    rang="dzwonił {length}\u00a0s",
    answered="odebrał",
    refused="nie przyjął",
    stopped="przestał",
    rings_on="nie przestał",
    talked="rozmowa {length}\u00a0s",
    hears_both="obie strony się słyszały",
    hears_caller_only="dzwoniący nic nie słyszał",
    hears_answerer_only="odbierający nic nie słyszał",
    hears_none="nikt nic nie słyszał",
    hears_person="dzwoniący słyszał odbierającego",
    hears_no_person="dzwoniący nic nie słyszał",
    turned_down="nikt nie odebrał",
    found_busy="zajęte",
    found_declined="odrzucone",
    gave_up="rozłączył się",
    told="usłyszał sygnał po {length}\u00a0s",
    nothing="nic",
    anonymous="numer ukryty",
    inside="dzwonek wewnętrzny",
    usual="dzwonek zwykły",
    legend="Co znaczą kolory",
    legend_rang="dzwoni",
    legend_answered="dzwoni i odbiera",
    legend_talk="rozmowa",
    legend_wrong="nie tak, jak powinien",
    legend_foretold="kiedy powinien dzwonić",
    seconds="{length}\u00a0s",
    ladder="Kto komu co powiedział, krok po kroku ({count})",
    ladder_how="Tak telefony rozmawiały z centralą w języku SIP. Kliknij krok, aby zobaczyć całą wiadomość; "
    "dane logowania są zasłonięte (***).",
    switchboard="centrala",
)

EN = Words(
    code="en",
    comma=".",
    findings=sentences_en.FINDINGS,
    blames=sentences_en.BLAMES,
    does=sentences_en.DOES,
    scenarios=sentences_en.SCENARIOS,
    single=sentences_en.SINGLE,
    lights=sentences_en.LIGHTS,
    meanings=sentences_en.MEANINGS,
    status='"{meaning}" ({status})',
    title="Test calls to {number}",
    passed="{number} rings as it is configured.",
    failed="{number} does not ring as it is configured.",
    count_passed="calls went right",
    count_failed="calls went wrong",
    how="Test phones stood in for those of {customer}, so nobody's phone rang. Each of them noted what it "
    "saw and heard; this result is made of that.",
    how_live="The phones of {customer} themselves rang. This result is made of what they answered the "
    "server, and of what the phone saw and heard that called.",
    hastened="So that nobody has to wait, ring times and delays were divided by {speed}.",
    made="Made at {at}.",
    calls="Calls",
    right="as configured",
    wrong="not as configured",
    at_fault="What failed",
    failed_of="Calls that went wrong: {failed} of {calls}.",
    in_call="call",
    in_calls="calls",
    caller="caller",
    dialled="from {caller} dials {number}",
    shown="On the display: {who}",
    waits="waits {length}\u00a0s",
    silent="did not ring",
    absent="switched off",
    engaged="in another call",
    dead="gives no answer",
    rang="rang {length}\u00a0s",
    answered="answered",
    refused="refused",
    stopped="stopped",
    rings_on="did not stop",
    talked="talked {length}\u00a0s",
    hears_both="both heard each other",
    hears_caller_only="the caller heard nothing",
    hears_answerer_only="who answered heard nothing",
    hears_none="nobody heard anything",
    hears_person="the caller heard who answered",
    hears_no_person="the caller heard nothing",
    turned_down="nobody answered",
    found_busy="busy",
    found_declined="turned down",
    gave_up="hung up",
    told="heard it ring after {length}\u00a0s",
    nothing="nothing",
    anonymous="number hidden",
    inside="the ring for calls from inside",
    usual="the usual ring",
    legend="What the colours mean",
    legend_rang="rings",
    legend_answered="rings and answers",
    legend_talk="talk",
    legend_wrong="not as it should",
    legend_foretold="when it should ring",
    seconds="{length}\u00a0s",
    ladder="Who said what to whom, step by step ({count})",
    ladder_how="This is how the phones and the switchboard talked, in SIP. Click a step to see the whole "
    "message; what phones log in with is blanked (***).",
    switchboard="switchboard",
)

LANGUAGES = {words.code: words for words in (PL, EN)}
