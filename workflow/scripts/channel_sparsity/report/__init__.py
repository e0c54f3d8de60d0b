"""Tables and figures to one page that a reader of the paper understands without the code."""
