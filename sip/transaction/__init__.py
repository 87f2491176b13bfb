"""Requests and their responses, one machine a figure of the RFC (RFC 3261 §17, RFC 6026)."""
