"""The machinery of networks: the bases of layers, losses, activations, initializers, architectures; parameter vector and network."""
