"""What is found out about a model once it is trained; pure functions on arrays, no files."""
