"""Answers to "why did this call not ring there?", in plain words, with what to do."""
