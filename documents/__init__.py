"""Pages of the documentation that are made from code, and how it is checked that they still are."""
