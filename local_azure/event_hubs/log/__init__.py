"""Events on disk: an append-only log for each partition, free of AMQP."""
