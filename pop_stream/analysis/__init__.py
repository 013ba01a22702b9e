"""What analysts do with topics: find, count, export, replay and prove. No group is ever joined."""
