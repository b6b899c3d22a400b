"""Everything from one engine to another: sessions, forks, grants, records and their versions."""
