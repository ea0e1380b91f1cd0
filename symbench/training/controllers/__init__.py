"""Controllers that play a task from its simulator's state: the teachers of the agents that see pictures only."""
