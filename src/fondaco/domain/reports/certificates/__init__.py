"""Certificates: what somebody has come to, for whoever they give the link to, with a proof."""
