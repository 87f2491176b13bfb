"""How a command speaks with the server that runs on its data directory: a Unix socket in that directory."""
