"""The provider: the Realtime protocol over a WebSocket."""
