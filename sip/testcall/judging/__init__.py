"""Judging a test call: each file looks at one side of it, and knows nothing of the others."""
