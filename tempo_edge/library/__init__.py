"""What a library is made of: the catalogue, the vector cache, the indexer and the watcher."""
