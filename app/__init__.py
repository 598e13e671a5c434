"""The Meterwright program."""
