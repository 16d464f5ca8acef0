"""Block Kit as Slack checks it: which JSON it takes, and the words in which it refuses the rest."""
