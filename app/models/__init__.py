"""What the laptop keeps: one file a noun (SQLAlchemy)."""
