"""Other ways to do the same job: each as its own documentation leads a good user to write it."""
