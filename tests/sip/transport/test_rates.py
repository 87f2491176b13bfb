"""How much each source may send in a second."""

from __future__ import annotations

from sip.transport.flow import Address, Transport
from sip.transport.limits import TransportLimits
from sip.transport.proven import Proven
from sip.transport.rates import Rates

STRANGER, SITE = "198.51.100.7", "192.0.2.1"


def sent(rates: Rates, host: str, now: float, messages: int = 1) -> int:
    """How often it has room, of a hundred times."""
    count = 0
    for _ in range(100):
        if rates.has_room(host, now):
            rates.note(host, messages)
            count += 1
    return count


def test_a_source_has_so_much_in_each_second_and_others_have_theirs():
    rates = Rates(TransportLimits(messages_per_source=10), Proven())
    assert sent(rates, STRANGER, 1000.0) == 10
    assert sent(rates, STRANGER, 1000.9) == 0
    assert sent(rates, SITE, 1000.9) == 10
    assert sent(rates, STRANGER, 1001.0) == 10


def test_a_site_of_which_somebody_has_logged_in_has_five_times_as_much():
    proven = Proven()
    rates = Rates(TransportLimits(messages_per_source=10), proven)
    proven.restore(Transport.UDP, Address(SITE, 5060), 999.0)
    assert sent(rates, SITE, 1000.0) == 50


def test_what_comes_in_one_piece_is_counted_one_by_one():
    rates = Rates(TransportLimits(messages_per_source=10), Proven())
    assert sent(rates, STRANGER, 1000.0, messages=16) == 1
    assert sent(rates, STRANGER, 1001.0, messages=4) == 3


def test_addresses_of_one_network_of_ipv6_share_theirs():
    rates = Rates(TransportLimits(messages_per_source=10), Proven())
    assert sent(rates, "2001:db8::1", 1000.0) == 10
    assert sent(rates, "2001:db8::2", 1000.0) == 0
    assert sent(rates, "2001:db8:0:1::1", 1000.0) == 10
