"""Turns the domain into the exact files of a phone. Stores nothing."""
