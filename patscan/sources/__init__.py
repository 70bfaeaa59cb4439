"""Sources of content. Each yields shards, reads contents again, and finds their sightings."""
