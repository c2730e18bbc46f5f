"""Programs of others: tokens, idempotency keys, webhooks and where those may lead."""
