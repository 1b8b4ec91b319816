"""Real servers for tests: each starts on free loopback ports and stops by its own process id."""
