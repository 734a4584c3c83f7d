"""People, their roles, the body and branch they act for, and signing in."""
