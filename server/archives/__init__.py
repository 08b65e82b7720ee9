"""Reading archives and tables of strangers: as data, capped; none of their paths is written to."""
