"""Webhooks going out: programs of others are told of facts, signed as in the specification Standard Webhooks.

Facts become deliveries (`dispatch`), deliveries are posted until somebody takes them (`sending`). Nothing here is
loaded before the first endpoint exists.
"""
