"""The ledger: what was submitted, kept for good, in order; everything else in provrepo is derived from it."""
