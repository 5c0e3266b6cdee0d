"""What networks are made of: the bases of their components, the parameter vector, the network."""
