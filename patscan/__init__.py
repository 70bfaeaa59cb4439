"""patscan finds leaked GitLab tokens, proves which are real, and says who leaked them, when, and where they still live."""

__version__ = "0.1.0"
HOME = "https://gitlab.com/patscan/patscan"
