"""The domain, the web and the wiring of Centralka; the only package that imports the other three."""
