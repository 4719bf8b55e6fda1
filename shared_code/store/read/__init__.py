"""What people look at: bounded, read-only queries, one module for each resource."""
