"""SIP messages and what they carry (RFC 3261 §7, §19, §20, §25; RFC 8866): bytes in, typed values out.

Lenient in what is read, wherever two readers would still agree on what was said; exact in what is written.
"""
