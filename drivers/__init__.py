"""Bytes to meter values and back; importable on its own."""
