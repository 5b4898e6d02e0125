"""The algorithm voiced is measured against: a thread, a queue, blocking writes.

This is how most small voice clients play: chunks of a reply go through a ``queue.Queue``
to a thread that writes them to the sound card and blocks; when the server hears the user,
the queue is emptied and whatever the thread and the device hold is still played.

    python -m tests.bench.article URL CHUNK
"""

import asyncio
import base64
import json
import queue
import sys
import threading

import pyaudio
from websockets.asyncio.client import connect

RATE_HZ = 24_000


def play(chunks: "queue.Queue[bytes]", chunk: int) -> None:
    """Write chunks to the loudspeaker, for ever."""
    library = pyaudio.PyAudio()
    stream = library.open(
        format=pyaudio.paInt16,
        channels=1,
        rate=RATE_HZ,
        output=True,
        frames_per_buffer=chunk,
    )
    while True:
        stream.write(chunks.get())


async def converse(url: str, chunk: int) -> None:
    """Hold a session and play what comes."""
    chunks: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=play, args=(chunks, chunk), daemon=True).start()
    size = chunk * 2
    pending = b""
    async with connect(url.replace("http", "ws") + "/realtime?model=x", max_size=None) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": {"type": "realtime"}}))
        async for frame in socket:
            event = json.loads(frame)
            if event["type"] == "response.output_audio.delta":
                pending += base64.b64decode(event["delta"])
                while len(pending) >= size:
                    chunks.put(pending[:size])
                    pending = pending[size:]
            elif event["type"] == "input_audio_buffer.speech_started":
                pending = b""
                while not chunks.empty():
                    chunks.get()


if __name__ == "__main__":
    asyncio.run(converse(sys.argv[1], int(sys.argv[2])))
