"""What fires functions: timers, Event Hubs partitions, blobs. HTTP is served by ``http_server``."""
