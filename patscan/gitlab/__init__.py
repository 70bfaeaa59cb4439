"""Asks GitLab about tokens: whether one works, who owns it, what a thief could do with it."""
