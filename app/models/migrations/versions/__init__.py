"""One file a revision.  A released revision is never changed; a new one is added."""
