"""What one certificate says."""
