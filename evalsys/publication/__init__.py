"""What everybody may read: editions, rankings, the story of a score and the method."""
