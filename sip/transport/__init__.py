"""How messages come and go: UDP, TCP and TLS (RFC 3261 §18, RFC 3581, RFC 5626)."""
