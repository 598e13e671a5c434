"""What people see; nothing else imports Qt."""
