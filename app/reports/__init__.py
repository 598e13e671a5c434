"""Report model and its PDF."""
