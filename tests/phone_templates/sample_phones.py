"""Phones to write files for, and the secrets of the world in which they stand."""

from __future__ import annotations

from typing import Any

from phone_templates.catalogue import Generation
from phone_templates.spec import (
    Account,
    Clock,
    Codes,
    Key,
    KeyType,
    Language,
    Network,
    OutboundProxy,
    Phone,
    PhoneBook,
    Resync,
    Srtp,
    Syslog,
    Transport,
)
from phone_templates.values import Secret, fill, joined, references
from phone_templates.yealink.models import find_model

WARSAW = Clock("CET-1CEST,M3.5.0,M10.5.0/3", ("ntp.example.pl",))

CODES = Codes(
    pickup="*40",
    intercom="*33",
    park="*70",
    retrieve="*71",
    forward_always_on="*21*",
    forward_always_off="#21#",
    forward_busy_on="*22*",
    forward_busy_off="#22#",
    forward_no_answer_on="*23*",
    forward_no_answer_off="#23#",
    dnd_on="*26",
    dnd_off="#26",
)

RECEPTION = Account(
    1,
    user_name="48223809887",
    password=Secret("line/48223809887/password@1"),
    server_host="sip.example.pl",
    label="Recepcja",
    display_name="Recepcja",
)

OFFICE = Account(
    2,
    user_name="48223809986",
    password=Secret("line/48223809986/password@1"),
    server_host="sip.example.pl",
    server_port=5061,
    auth_name="48223809986",
    transport=Transport.TLS,
    outbound_proxy=OutboundProxy("edge.example.pl", 5061),
    srtp=Srtp.OPTIONAL,
    nat_keepalive_s=0,
    voice_mail="*97",
)

KEYS = (
    Key(KeyType.BLF, "102", "Biuro", key=2),
    Key(KeyType.SPEED_DIAL, "48225550111", "Serwis"),
    Key(KeyType.PARK, label="Parkuj"),
    Key(KeyType.RETRIEVE, label="Odbierz"),
)
EVERY_KEY = (
    Key(KeyType.BLF, "102", "Biuro"),
    Key(KeyType.SPEED_DIAL, "48225550111", "Serwis"),
    Key(KeyType.PARK, "101"),
    Key(KeyType.RETRIEVE, "101"),
    Key(KeyType.INTERCOM, "102"),
    Key(KeyType.PICKUP, "102"),
    Key(KeyType.GROUP_PICKUP),
    Key(KeyType.PAGING, "224.5.6.20:10008", "Hala"),
    Key(KeyType.URL, "http://door.example.pl/open?door=1"),
    Key(KeyType.XML_BROWSER, label="Menu"),
    Key(KeyType.VOICE_MAIL, "*97"),
)


def make_phone(model: str = "T46S", generation: Generation = Generation.V86, **said: Any) -> Phone:
    """A phone with one line and nothing else to say, unless said."""
    facts: dict[str, Any] = {
        "mac": "0015654aa937",
        "model": model,
        "generation": generation,
        "clock": WARSAW,
        "language": Language.POLISH,
        "admin_password": Secret("device/0015654aa937/admin@1"),
        "user_password": Secret("device/0015654aa937/user@1"),
        "provisioning_url": joined("http://192.0.2.1:8081/", Secret("device/0015654aa937/token@1"), "/"),
        "accounts": (RECEPTION,),
        "resync": Resync(137, 147),
    }
    return Phone(**(facts | said))


def full_phone(model: str, generation: Generation, **said: Any) -> Phone:
    """A phone with all that can be said, as far as the model has room for it."""
    knows = find_model(model)
    service = joined("http://192.0.2.1:8081/", Secret("device/0015654aa937/service@1"))
    room = knows.line_keys + knows.memory_keys
    facts: dict[str, Any] = {
        "accounts": (RECEPTION, OFFICE)[: knows.accounts_for(generation)],
        "keys": EVERY_KEY if room > len(EVERY_KEY) + 1 else KEYS if room > len(KEYS) + 1 else (),
        "codes": CODES,
        "distinctive_ring": True,
        "network": Network(vlan_id=20, vlan_priority=5, pc_vlan_id=0, lldp=True, sip_dscp=26, rtp_dscp=46),
        "syslog": Syslog("192.0.2.9", 4),
        "phone_books": (PhoneBook("Nowy klient testowy", joined(service, "/phonebook.xml")),),
        "ringtones": (joined(service, "/media/dzwonek.wav"),),
        "logo": joined(service, "/media/logo"),
        "firmware_url": joined(service, "/firmware/fw.rom"),
        "action_url_base": joined(service, "/action"),
        "backup_url": joined(service, "/"),
        "browser_url": joined(service, "/browser/menu.xml"),
    }
    return make_phone(model, generation, **(facts | said))


def filled(content: str) -> str:
    """`content` with a made-up secret in the place of each reference, told by its name."""
    return fill(content, {ref: f"secret-of-{ref.replace('/', '-')}" for ref in references(content)})
