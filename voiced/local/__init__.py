"""The built-in Realtime server: a conversation without a key and without a network.

Any client of the GA protocol can use it.  What differs from the service:

* ``semantic_vad`` listens for silence: 1200, 700 or 400 ms for eagerness low, medium and
  high.  ``noise_reduction``, ``truncation``, ``tracing``, ``prompt``, ``reasoning`` and
  ``include`` are accepted, shown, and without effect.
* Tools are accepted and shown and never called; MCP servers are never asked.
* A response has one message at most, with one part.  Nothing is ever cached, and the
  rate limit it shows is not enforced.
* Only conversations are served, no transcription sessions; ``session.type`` is
  ``realtime``.  There are no client secrets, no WebRTC and no SIP.
* Transcripts are lower-case words without punctuation, in English, and often wrong.
  One ``delta`` carries them whole.
* A voice may be named again after the assistant has spoken, as long as it is the same.
* ``function_call_output`` is accepted without its call; MCP items cannot be created.
* Long conversations lose their oldest audio, then their oldest items, without a word to
  the client.
"""
