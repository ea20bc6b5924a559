"""What is checked and decided of a table's values before anything is computed: frames in, decisions and findings out."""
