"""The tables of READMEs and docs, each made of results alone."""
