"""The simulated shop, apart from what reads real ones."""
