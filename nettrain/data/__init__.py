"""From a source to prepared parts: loading, splitting, and transforms fitted on training rows."""
