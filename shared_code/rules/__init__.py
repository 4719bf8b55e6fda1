"""Rule documents: what they may say, how they are checked and compiled. No Azure, no SQL."""
