"""What holds exactly between columns: found in a table, listed, kept in new rows."""
