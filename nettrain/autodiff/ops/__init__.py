"""The operations, each defined once: value, gradient, tangent. Read them as a table of derivatives."""
