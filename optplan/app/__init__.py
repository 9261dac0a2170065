"""What each command does, without the command line: a request in, a result out."""
