"""What is read from predictions and from data, each by a peer; the room `inspection` draws the cases."""
