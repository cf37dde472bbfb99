"""The speech process: recognition, voices and turn detection for all calls, behind one private socket."""
