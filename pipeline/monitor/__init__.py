"""What operators look at: the books, the notes of every process, the endpoints, and how they are shown."""
