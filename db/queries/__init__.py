"""Queries by name. Each takes the session first and says what it loads."""
