"""Vector stores: one contract, an embedded shard and a server."""
