"""What is sold, what was paid for it, and what is paid out: purchases, payouts, prices."""
