"""How channel sparsity relates to pruning: the library behind the study's rules."""
