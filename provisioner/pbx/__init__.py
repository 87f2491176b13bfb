"""The wiring between phones that speak SIP and what is kept of them."""
