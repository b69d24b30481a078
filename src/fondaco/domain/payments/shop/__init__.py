"""The shop of a tenant: coupons, affiliates and tax rates."""
