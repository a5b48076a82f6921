"""A second implementation of the formats of protocol/SPEC.md, written from that document and the vectors alone.

It is worth something only as long as nobody writes it from the other one: change the document first, then this from the document.
"""
