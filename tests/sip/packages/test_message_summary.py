"""What is told of a mailbox (RFC 3842)."""

from __future__ import annotations

from sip.packages.message_summary import Mailbox, MessageContext, Messages, MessageSummaryPackage


def test_the_lamp_is_on_and_the_counts_are_told():
    voice = Messages(MessageContext.VOICE, new=2, old=8, urgent_old=2)
    fax = Messages(MessageContext.FAX, new=0, old=1)
    body = MessageSummaryPackage().body(Mailbox("sip:101@pbx.example.com", (voice, fax)), None, 0)
    assert body == (
        b"Messages-Waiting: yes\r\n"
        b"Message-Account: sip:101@pbx.example.com\r\n"
        b"Voice-Message: 2/8 (0/2)\r\n"
        b"Fax-Message: 0/1 (0/0)\r\n"
    )


def test_old_messages_light_no_lamp():
    mailbox = Mailbox("sip:101@h", (Messages(MessageContext.VOICE, new=0, old=3),))
    assert MessageSummaryPackage().body(mailbox, None, 0).startswith(b"Messages-Waiting: no\r\n")
    assert not Mailbox("sip:101@h").is_waiting
