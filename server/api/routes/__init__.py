"""One resource a file; they never import each other."""
