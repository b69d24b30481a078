"""FIX over sockets: acceptor and initiator, which run the law of `domain/fix/session`."""
