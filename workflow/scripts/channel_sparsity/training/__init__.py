"""Sparse training: Eq. 3 of the paper."""
