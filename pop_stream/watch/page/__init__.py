"""The page on which people see how a worker fares: HTML and SVG, and no script."""
