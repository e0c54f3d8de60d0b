"""What keeps a study in order: checksums, fingerprints, locks, digests, provenance. It may know Snakemake."""
