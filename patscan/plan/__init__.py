"""The plan after a leak, and the files for the removal from history."""
