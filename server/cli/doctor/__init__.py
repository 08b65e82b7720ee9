"""The checks of ``bowerbird doctor``: pure functions that return what they found."""
