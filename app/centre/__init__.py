"""The central store."""
