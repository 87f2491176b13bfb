"""Whether a phone reaches us, is understood, and knows what time it is."""

from __future__ import annotations

from collections.abc import Iterator

from phone_templates.catalogue import Generation
from phone_templates.posix_tz import BadTimeZone
from phone_templates.spec import Codec
from phone_templates.yealink.dialect import NAMED_CODECS, NUMBERED_CODECS
from provisioner.centrex.errors import BadValue
from provisioner.phones.lint.case import Company, PhoneCase
from provisioner.phones.lint.finding import Remark, Rule, Severity
from provisioner.phones.lint.summer_time import is_exact
from provisioner.phones.zones import posix_rule

_TLS_1_0_ONLY = (Generation.V70, Generation.V71)
_NAMES_CODECS_SINCE = 82
"Second number of the first firmware that names codecs; the generation V81-V85 begins before it."


def old_tls_provisioning(phone: PhoneCase) -> Iterator[Remark]:
    """Firmware that can't open the TLS 1.2 connection that the provisioning URL asks for."""
    url = phone.around.public.provisioning_url
    if _wants_modern_tls(phone) and phone.generation in _TLS_1_0_ONLY:
        yield Remark(
            f"firmware {phone.generation} speaks TLS 1.0 only, and the provisioning URL is {url}",
            "give it a newer firmware, or plain http in a voice VLAN; or a listener for old TLS, in a network"
            " that may have secrets",
        )


def _wants_modern_tls(phone: PhoneCase) -> bool:
    return (
        phone.around.public.provisioning_url.startswith("https:") and not phone.elsewhere.speaks_old_tls
    )


def old_tls_possible(phone: PhoneCase) -> Iterator[Remark]:
    """A phone that nobody has heard of yet may come out of its box with such firmware."""
    url = phone.around.public.provisioning_url
    oldest = phone.model.generations[0]
    known = phone.device.firmware_seen is not None or phone.generation in _TLS_1_0_ONLY
    if _wants_modern_tls(phone) and oldest in _TLS_1_0_ONLY and not known:
        yield Remark(
            f"its firmware is not known yet, and a {phone.model.name} may have {oldest}, which speaks TLS 1.0"
            f" only; the provisioning URL is {url}",
            "look at its firmware before it is sent out, and make it newer where it is that old",
        )


def old_tls_sip(phone: PhoneCase) -> Iterator[Remark]:
    """The same for registering."""
    if _transport(phone) == "tls" and phone.generation in _TLS_1_0_ONLY:
        yield Remark(
            f"firmware {phone.generation} speaks TLS 1.0 only, and it is told to register over TLS",
            "set sip_transport to tcp or udp for this phone or its model",
        )


def old_roots(phone: PhoneCase) -> Iterator[Remark]:
    """Firmware whose list of trusted roots is older than those that issue certificates today."""
    tls = phone.around.public.provisioning_url.startswith("https:") or _transport(phone) == "tls"
    if tls and phone.generation is Generation.V80:
        yield Remark(
            f"firmware {phone.generation} trusts only roots that were there in its time",
            "check that the certificate's root is among them, or put it on the phone by the parameter"
            " trusted_certificates.url",
        )


def srtp_without_tls(phone: PhoneCase) -> Iterator[Remark]:
    """Media is encrypted with a key that everybody on the way can read (RFC 4568 §7)."""
    transport = _transport(phone)
    if phone.options.srtp in ("optional", "compulsory") and transport != "tls":
        yield Remark(
            f"srtp is {phone.options.srtp}, and its keys travel in clear text: the transport is {transport}",
            "set sip_transport to tls, or srtp to off",
        )


def codec_lacking(phone: PhoneCase) -> Iterator[Remark]:
    """Codecs that are left out because the firmware doesn't have them."""
    rows = NAMED_CODECS if phone.generation.prefixes_static else NUMBERED_CODECS
    if phone.minor is not None and phone.minor < _NAMES_CODECS_SINCE:
        rows = NUMBERED_CODECS
    known = {row.codec for row in rows}
    for codec in phone.options.codecs or ():
        if Codec(codec) not in known:
            yield Remark(
                f"the codec {codec} is left out: the phone's firmware doesn't have it",
                "nothing is to be done while another codec of the list is left",
            )


def vlan_without_lldp(phone: PhoneCase) -> Iterator[Remark]:
    """A phone that knows its VLAN from its file alone."""
    if phone.options.vlan_id and phone.options.lldp is False:
        yield Remark(
            f"VLAN {phone.options.vlan_id} stands in its file alone, and LLDP is off: after a factory reset"
            " it starts outside of the VLAN",
            "let the switch tell the VLAN (lldp: true), or see that it finds us without the VLAN too",
        )


def boot_mode_ignored(phone: PhoneCase) -> Iterator[Remark]:
    """Boot files for firmware that never asks for one."""
    if phone.options.boot_mode and not phone.generation.prefixes_static:
        yield Remark(
            f"boot_mode is on, and firmware {phone.generation} asks for no boot file",
            "nothing is to be done: it gets its two files as before",
        )


def backups_ignored(phone: PhoneCase) -> Iterator[Remark]:
    """Firmware that brings nothing of what users change on the phone."""
    if phone.options.backups and not phone.generation.prefixes_static:
        yield Remark(
            f"backups is on, and firmware {phone.generation} brings nothing: what its users change is on the"
            " phone alone",
            "nothing is to be done; when it is replaced, somebody has to note its contacts first",
        )


def time_zone_inexact(company: Company) -> Iterator[Remark]:
    """Zones whose daylight saving time the vendor's words say for most years only."""
    zones: dict[str, int] = {}
    for phone in company.phones:
        zone = phone.options.time_zone or company.customer.time_zone
        zones[zone] = zones.get(zone, 0) + 1
    for zone, phones in sorted(zones.items()):
        try:
            exact = is_exact(posix_rule(zone))
        except (BadTimeZone, BadValue):
            continue  # then no file can be written, and that is a rule of its own
        if not exact:
            count = "1 phone" if phones == 1 else f"{phones} phones"
            yield Remark(
                f"no phone can be told exactly when summer time begins and ends in {zone}: {count} may show"
                " the wrong hour for a while in some years",
                "check the phones' clocks at each change",
            )


def login_not_exported(company: Company) -> Iterator[Remark]:
    """Phones that a tree made by `export` can't serve."""
    count = sum(phone.options.http_auth is True for phone in company.phones)
    if count:
        phones = "1 phone logs in" if count == 1 else f"{count} phones log in"
        yield Remark(
            f"{phones} (http_auth): a plain web server with an export of the files can't tell them apart, and"
            " gives them nothing",
            "nothing is to be done while `serve` answers them; without it, set http_auth: false in time",
        )


def _transport(phone: PhoneCase) -> str:
    return phone.options.sip_transport or phone.around.public.sip_transport


PHONE_RULES = (
    Rule("old-tls-provisioning", Severity.ERROR, old_tls_provisioning),
    Rule("old-tls-sip", Severity.ERROR, old_tls_sip),
    Rule("old-tls-possible", Severity.WARNING, old_tls_possible),
    Rule("srtp-without-tls", Severity.WARNING, srtp_without_tls),
    Rule("codec-lacking", Severity.WARNING, codec_lacking),
    Rule("old-roots", Severity.HINT, old_roots),
    Rule("vlan-without-lldp", Severity.HINT, vlan_without_lldp),
    Rule("boot-mode-ignored", Severity.HINT, boot_mode_ignored),
    Rule("backups-ignored", Severity.HINT, backups_ignored),
)
COMPANY_RULES = (
    Rule("time-zone-inexact", Severity.WARNING, time_zone_inexact),
    Rule("login-not-exported", Severity.HINT, login_not_exported),
)
