"""The window; nothing else imports Qt."""
