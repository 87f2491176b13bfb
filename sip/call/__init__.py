"""Calls between phones: a back-to-back user agent (RFC 7092 §3.1.3) that knows lines, not customers.

Without sockets, clocks or tasks. From below: `wire` is the hands of all legs, `session` what a leg is told of
the media, `peer` who is at its other end, `leg` one INVITE dialog with that (`incoming`, `outgoing`: how it
begins; `reliable`, `early`: what is said for certain before that), `attempt` the phones of one line that are
asked together, `rung` all who are rung for one call, `call` its two legs, `calls` all of them.
`renegotiation`, `inform`, `session_timer`, `transfer`, `joining`, `replacing` and `pickup` are what may
happen to a call. `ringing` is how calls are told whom to ring next, `tree` who tells them, and `story` what
they tell of themselves.
"""
