"""Tokens without a prefix, recognised by their contexts. docs/contexts.md explains how."""
