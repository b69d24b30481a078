"""The door for agents: the Model Context Protocol over the same operations as every other door."""
