"""The mistakes that people make, as steps from a right guess to one with the mistake in it."""
