"""Many virtual phones on a server: how it bears a roll-out, and a busy hour."""
