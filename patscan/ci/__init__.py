"""What a CI job's environment says is new. A `Decision` is made of values alone; `resolve` asks git."""
