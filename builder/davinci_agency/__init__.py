"""Pull-request chains and agent trajectories, turned into a Hugging Face dataset."""

__version__ = "0.1.0"
