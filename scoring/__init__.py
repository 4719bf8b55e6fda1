"""How well the shipped rules find what the simulator injects, measured on the whole pipeline."""
