"""Whether the events of a player, of whomever, are as the contract wants them."""
