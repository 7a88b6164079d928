"""Numbers that are drawn blurred beside other columns, moved to where they belong."""
