"""What makes a release one that can be checked: its locks, floors, audit and list of parts."""
