"""The most that a message may hold. What phones send stays far below: 1 to 3 kB, 12 to 30 headers."""

MESSAGE = 64 * 1024
"Bytes of a message, head and body."
HEADERS = 256
"Headers of a message."
LINE = 8 * 1024
"Characters of a header, unfolded; an Identity of RFC 8224 has about 1 000."
URI = 2 * 1024
"Characters of a Request-URI."
