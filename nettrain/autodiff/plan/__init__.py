"""The plan: a computation recorded once, then replayed on arrays that stay."""
