"""How git stores things. Knows nothing of rules or reports."""
