"""What rankings would have brought at past dates, measured on a shop's own orders."""
