"""Cases: alerts of one subject gathered for somebody to look into, until it is said what it was."""
