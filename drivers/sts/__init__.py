"""STS prepayment tokens (IEC 62055-41): pure functions, no I/O."""
