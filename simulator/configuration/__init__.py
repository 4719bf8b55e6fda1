"""What a simulation is asked to produce: YAML files, profiles, and the structures they fill."""
