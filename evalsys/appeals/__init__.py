"""What a vendor may answer: the preliminary result, its reply, its objection, and what has to get better."""
