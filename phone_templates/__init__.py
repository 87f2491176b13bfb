"""What a phone model is, and how its files are written. No sockets, no database, no clock."""
