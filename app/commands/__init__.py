"""The command line, one file a noun; see `app.cli`."""
