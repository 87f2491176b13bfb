"""Readers of files that people write: bytes in, typed patches out. No I/O."""
