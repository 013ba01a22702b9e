"""What a worker tells about itself."""
