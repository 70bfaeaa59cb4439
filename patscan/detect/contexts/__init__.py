"""Tokens without a prefix, recognised by what stands around them. docs/contexts.md explains how."""
