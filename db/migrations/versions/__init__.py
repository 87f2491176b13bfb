"""One module a migration, in order; each is `vNNNN_what.py`."""
