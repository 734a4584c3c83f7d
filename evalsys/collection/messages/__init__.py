"""Invitations and reminders by e-mail and SMS: who gets one, what it says, when it is needless."""
