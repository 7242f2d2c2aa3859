"""Holding the letter against mails nobody on this project wrote, when such a collection lies beside the project."""
