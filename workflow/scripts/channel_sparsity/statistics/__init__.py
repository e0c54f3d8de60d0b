"""How one number follows another over networks, lambdas and seeds, with intervals (R24)."""
