"""Journal up, mailbox down."""
