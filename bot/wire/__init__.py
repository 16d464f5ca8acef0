"""What bot, hosts and runners say to each other. A leaf: imports nothing of either package."""
