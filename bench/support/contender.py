"""One of several processes that want redis-py's Lock; prints its waits in milliseconds as JSON."""
import json
import random
import sys
import time

import redis
from redis.lock import Lock

port, think, begin, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
client = redis.Redis(port=port)
client.ping()
lock = Lock(client, "bench:python", timeout=10)
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
print(json.dumps(waits))
