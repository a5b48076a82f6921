"""A second implementation of the formats of protocol/SPEC.md, written from that document alone."""
