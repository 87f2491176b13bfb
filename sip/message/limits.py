"""The most that a message may hold. What phones send stays far below: 1 to 3 kB, 12 to 30 headers."""

MESSAGE = 64 * 1024
"Bytes of a message, head and body."
HEADERS = 256
"Headers of a message."
LINE = 8 * 1024
"Characters of a header, unfolded; an Identity of RFC 8224 has about 1 000."
VALUES = 100
"Values of one header, whether commas join them or they stand in lines of their own. Vias end at 70 hops."
PARAMETERS = 64
"Parameters of one value."
URI = 2 * 1024
"Characters of a Request-URI."
