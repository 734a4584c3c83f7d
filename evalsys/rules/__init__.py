"""The rules file: what is asked, what it weighs, and every number a score depends on."""
