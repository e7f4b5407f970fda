"""The workstation: trains the networks."""
