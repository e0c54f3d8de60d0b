"""Clips and their log-mel features."""
