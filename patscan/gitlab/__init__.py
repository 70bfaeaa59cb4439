"""What GitLab says of a token: does it still work, whose is it, what could a thief do with it."""
