"""The tests' soft phones register with what the rendered files say: each generation's spelling of it."""

from __future__ import annotations

from pathlib import Path

from sip.transport.flow import Address, Transport
from tests.e2e.exchange import Phone, Site, exchange

PHONES = [
    ("00:15:65:31:4b:c0", "VP530P", "23.70.0.40", Transport.UDP),
    ("00:15:65:4a:a9:37", "T46G", "28.72.0.1", Transport.TCP),
    ("00:15:65:93:70:f2", "T23G", "44.80.0.60", Transport.TLS),
    ("80:5e:c0:12:34:56", "T46S", "66.85.0.5", Transport.TCP),
    ("24:9a:d8:00:00:54", "T54W", "96.86.0.70", Transport.TLS),
]


async def test_an_account_is_read_from_the_file_as_its_firmware_reads_it(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    phones = [
        Phone(
            mac, model, firmware, f"4822555000{number}",
            {"sip_host": "127.9.9.9", "sip_port": 5080 + number, "sip_transport": transport,
             "register_expires_s": 60 + number},
        )
        for number, (mac, model, firmware, transport) in enumerate(PHONES)
    ]  # fmt: skip
    async with exchange(tmp_path, migrated_sqlite, Site.make(), phones) as served:
        passwords = set()
        for number, phone in enumerate(phones):
            account = await served.account(phone)
            assert account.user_name == account.auth_name == phone.line
            assert account.server == Address("127.9.9.9", 5080 + number)
            assert (account.transport, account.expires_s) == (PHONES[number][3], 60 + number)
            assert account.mac == phone.mac.replace(":", "")
            assert account.sends_mac
            assert account.user_agent.endswith(f"{phone.model} {phone.firmware}")
            passwords.add(account.password)
        assert len(passwords) == len(phones)
        assert not any(password in repr(account) for password in passwords)
