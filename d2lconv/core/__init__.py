"""What the API is made of: the rules, the choice of a backend, and what a backend has to offer."""
