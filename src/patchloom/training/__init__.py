"""The trainers of the content and texture networks."""
