"""Use cases: each one transaction over the store that decides with the domain and queues what follows."""
