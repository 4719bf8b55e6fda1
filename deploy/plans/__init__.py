"""Plans of Terraform: made, applied as they were approved, and reported where people look."""
