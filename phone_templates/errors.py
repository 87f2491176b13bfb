"""What the phone knowledge refuses. Every refusal has a stable code for programs and says what to do."""

from __future__ import annotations


class PhoneTemplatesError(ValueError):
    """Root of the package's refusals; `code` is for programs, `str(error)` for people."""

    code = "phone-refused"
