"""Every privileged act and every denial, in the journal, and what an auditor asks about them."""
