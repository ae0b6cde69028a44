"""One of several processes that want redis-py's Lock. A line "think begin seconds" is answered by its waits in ms, as JSON."""
import json
import random
import sys
import time

import redis
from redis.lock import Lock

client = redis.Redis(port=int(sys.argv[1]))
client.ping()
lock = Lock(client, "bench:python", timeout=10)
print("ready", flush=True)
for line in sys.stdin:
    think, begin, seconds = map(float, line.split())
    waits = []
    time.sleep(max(0, begin / 1000 - time.time()))
    end = begin / 1000 + seconds
    while time.time() < end:
        asked = time.perf_counter()
        lock.acquire()
        waits.append((time.perf_counter() - asked) * 1000)
        time.sleep(0.005)
        lock.release()
        if think:
            time.sleep(random.expovariate(1000 / think))
    print(json.dumps(waits), flush=True)
