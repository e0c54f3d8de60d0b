"""Channel pruning, step by step."""
