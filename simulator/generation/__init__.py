"""From a configuration to payment events: population, time, columns, JSON text, messages."""
