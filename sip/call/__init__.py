"""Calls between phones: a back-to-back user agent (RFC 7092 §3.1.3) that knows lines, not customers.

Without sockets, clocks or tasks. From below: `wire` is the hands of all legs, `session` what a leg is told of
the media, `leg` one INVITE dialog with one peer, `attempt` the phones of one line that are asked together,
`call` two legs and who is rung on the way there, `calls` all of them. `ringing` is how they are told whom to
ring next, and `story` what they tell of themselves.
"""
