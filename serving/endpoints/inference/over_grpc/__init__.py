"""The same over gRPC: the service `inference.GRPCInferenceService`. Needs the extra `millrace[grpc]`."""
