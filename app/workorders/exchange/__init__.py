"""Work orders in from files, results out to files."""
