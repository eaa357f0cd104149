"""The proof: one module per invariant of consent and privacy, run by ``make privacy`` (docs/privacy-proof.md)."""
