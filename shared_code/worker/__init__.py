"""What makes up for a weakness of Microsoft's Python worker."""
