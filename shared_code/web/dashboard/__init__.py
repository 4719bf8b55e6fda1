"""The page that shows people what the pipeline counted, and what serves its files."""
