"""Test calls: independent phones ring as a scenario says, and a verdict says whether it went as it should."""
