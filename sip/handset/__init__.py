"""A phone's side of calls: what it dials, and what it is rung for (RFC 3261 §13). It has no media."""
