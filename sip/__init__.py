"""SIP, RFC chapter by RFC chapter. Knows no customer, database or web page."""
