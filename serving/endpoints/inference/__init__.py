"""The Open Inference Protocol, version 2, over REST: predictions for clients that speak it, such as Triton's."""
