"""How well and how fast recall finds evidence, on conversations given from outside."""
