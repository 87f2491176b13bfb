"""Event packages: what is told of which state, and how it is written (RFC 6665 §7.2)."""
