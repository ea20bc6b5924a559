"""Where tables come from: files, databases, the simulated shop."""
