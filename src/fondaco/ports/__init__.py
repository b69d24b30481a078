"""What we ask of machines: a Protocol and numbered promises each, with one adapter a file."""
