"""The ledger: the append-only record of submissions, from which everything else in a data directory is derived."""
