"""What a shop's files seem to be: which table, which columns, which locale, each guess with its evidence."""
