"""The operations: value, gradient, tangent. Each file reads like a table of derivatives."""
