"""The pages of docs/ that are made from the code, so that both say the same."""
