"""Where ratings enter: the recipient's survey, the evaluator's and the purchaser's assessments, and files."""
