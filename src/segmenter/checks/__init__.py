"""What stands in a shop's tables, judged by its values: frames in, decisions and findings out."""
