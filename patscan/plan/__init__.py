"""What to do after a leak, in order, and the files that the removal from history needs."""
