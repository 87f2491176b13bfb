"""The lines that say where a phone fetches, and what it decrypts with, go to another text as a whole."""

from __future__ import annotations

from provisioner.phones.fetching import bound_to, key_said, not_released, rolled_back

MAC = "001565000001"
HEAD = "#!version:1.0.0.1\nlang.gui = Polish\n"
URL = f"auto_provision.server.url = http://192.0.2.1/\x02device/{MAC}/token@1\x03/\n"
KEY = f"\x02device/{MAC}/encryption-key@7\x03"
SHORT = f"auto_provision.aes_key_16.com = {KEY}\nauto_provision.aes_key_16.mac = {KEY}\n"
LONG = "static." + SHORT.replace("_16", "").replace("\nauto", "\nstatic.auto")
CLEARED = "auto_provision.aes_key_16.com = %NULL%\nauto_provision.aes_key_16.mac = %NULL%\n"
TAIL = "account.1.enable = 1\n"
PLAIN = HEAD + URL + TAIL
NEW = PLAIN.replace("Polish", "English").replace("token@1", "token@2")


def keyed(text: str, keys: str = SHORT) -> str:
    return text.replace(TAIL, keys + TAIL)


def test_the_length_of_the_key_is_what_the_parameter_says():
    assert key_said(keyed(PLAIN), MAC) == 16
    assert key_said(keyed(PLAIN, LONG), MAC) == 32
    assert key_said(PLAIN, MAC) is None
    assert key_said(keyed(PLAIN, CLEARED), MAC) is None
    assert key_said(keyed(PLAIN), "001565000002") is None


def test_a_text_that_was_rolled_back_fetches_as_the_newest_does():
    assert rolled_back(PLAIN, NEW) == PLAIN.replace("token@1", "token@2")
    assert rolled_back(PLAIN, keyed(NEW)) == keyed(PLAIN).replace("token@1", "token@2")
    assert rolled_back(keyed(PLAIN), NEW) == rolled_back(PLAIN, NEW)
    assert rolled_back(keyed(PLAIN), keyed(NEW, LONG)) == rolled_back(PLAIN, keyed(NEW, LONG))
    assert rolled_back(HEAD + TAIL, keyed(NEW)).endswith(TAIL + URL.replace("@1", "@2") + SHORT)


def test_a_text_that_waits_keeps_whether_it_is_encrypted_and_takes_a_key_of_today():
    assert not_released(PLAIN, keyed(NEW), MAC) == PLAIN
    assert not_released(keyed(PLAIN), keyed(NEW, CLEARED), MAC) == keyed(PLAIN)
    assert not_released(keyed(PLAIN), keyed(NEW, LONG), MAC) == rolled_back(PLAIN, keyed(NEW, LONG))


def test_token_and_key_are_named_together_and_no_other_phones():
    text = bound_to(keyed(PLAIN + "x = \x02device/001565000002/token@1\x03\n"), MAC, 5, 9)
    assert text.count("token@5") == 1
    assert text.count("encryption-key@9") == 2
    assert "device/001565000002/token@1" in text
