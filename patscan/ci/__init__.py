"""Which commits are new for a CI job. A `Decision` depends on variables only; `resolve` turns it into commits with git."""
