"""Operations: what the server can do, for whom, and under which name."""
