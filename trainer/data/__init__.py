"""What training reads: features and pictures of images, each computed once and kept."""
