"""Starting the processes that are not ours: the embedded Redis, and Rasa in its own environment."""
