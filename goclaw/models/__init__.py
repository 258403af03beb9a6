"""Tables, and the shapes made from them."""
