"""Rows of the database to types of the domain, and back. Decides nothing."""
