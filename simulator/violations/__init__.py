"""What is injected for the pipeline to find, and what only looks like it."""
