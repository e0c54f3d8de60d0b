"""The tables of a study, and the files that they are kept in."""
