"""What people and programs are shown over HTTP; nothing here writes."""
