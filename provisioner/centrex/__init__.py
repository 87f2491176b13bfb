"""The domain: plain frozen types and pure rules. No I/O."""
