"""The machinery of networks: the bases of layers, losses, activations, initializers and architectures, the parameter vector, the network."""
