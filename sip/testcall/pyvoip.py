"""What the test phones take from pyVoIP: nothing else imports it, nor `audioop`.

pyVoIP 1.6.8 parses and writes the messages, the SDP and the RTP packets, and holds the state of a call. What
is overridden (`message`, `media`, `phone_call`, `client`, `phone`) says why ("Base: …"), and has a test that
fails without it.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # It wants `audioop`, which Python 3.13 has no more; the package audioop-lts has.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

    # First, as pyVoIP.SIP and pyVoIP.VoIP import each other.
    from pyVoIP.VoIP import CallState, VoIPCall, VoIPPhone  # isort: split
    from pyVoIP import RTP, SIP

__all__ = ["RTP", "SIP", "CallState", "VoIPCall", "VoIPPhone", "audioop"]
