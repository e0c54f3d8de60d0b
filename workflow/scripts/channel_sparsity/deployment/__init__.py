"""Models to take away: which, in what form, and how good they are."""
