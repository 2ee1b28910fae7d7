"""How a client gets access: the Connect page, codes and tokens."""
