"""Whom a call rings, as a tree of small machines: a phone, members in order or together, and what follows.

Each is a `Node`, and so a `Ringing`; each holds others. They say what is to be done in the steps of
`sip.call.ringing`, and know no time but the one that they are told.
"""
