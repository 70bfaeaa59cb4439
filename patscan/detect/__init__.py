"""Bytes -> matches. Knows nothing of files, git or the network."""
