"""Where messages go: Event Hubs (AMQP or Kafka), files, standard output, and the spool between."""
