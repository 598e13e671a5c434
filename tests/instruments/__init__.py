"""Instruments that stand in for hardware and servers in tests."""
