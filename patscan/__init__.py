"""patscan finds leaked GitLab tokens, proves which are real, and shows who leaked them, when, and where they still are."""

__version__ = "0.1.0"
HOME = "https://gitlab.com/patscan/patscan"
