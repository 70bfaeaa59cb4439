"""What a CI job's environment says is new. Values in, a `Decision` out: no file, no process, no network."""
