"""The pooling desk: fractional orders become whole street orders, and each has its part."""
