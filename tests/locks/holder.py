"""A holder in Python: takes and frees a lock of tangled-pyrqlite as it is told, or counts with it."""
import sys
import time

from rqlite.redis_lock import RedisLock
from rqlite.valkey_lock import ValkeyLock

kind, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
Lock = {"redis": RedisLock, "valkey": ValkeyLock}[kind]
lock = Lock(name=name, host="127.0.0.1", port=port, cluster=False)
client = lock._get_client()


def count(rounds):
    for _ in range(rounds):
        with lock:
            value = int(client.get("counter") or 0)
            time.sleep(0.002)
            client.set("counter", value + 1)


for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "acquire":
        print("taken" if lock.acquire(blocking=False) else "refused", flush=True)
    elif command == "release":
        lock.release()
        print("released", flush=True)
    elif command == "count":
        count(int(argument))
        print("counted", flush=True)
