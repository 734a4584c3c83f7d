"""Next year's choice, which reads the published editions and is made by a person."""
