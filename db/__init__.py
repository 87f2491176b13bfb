"""Schema, engine, queries and migrations. Knows no SIP and no HTTP."""
