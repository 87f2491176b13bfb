"""The phones' side: files at `/FILE` (first contact) and `/TOKEN/FILE` (afterwards)."""
