"""Places that have content: each cuts itself into shards, reads a content again, and says where it was met."""
