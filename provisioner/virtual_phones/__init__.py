"""Phones of software: they boot as their model would, register, and do on the line what phones do."""
