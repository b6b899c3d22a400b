"""What several engines need and none owns: clients per event loop, threads, deadlines, columns."""
