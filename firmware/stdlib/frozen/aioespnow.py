# aioespnow: ESP-NOW for tasks. Source: MicroPython's documentation of the module.

import espnow
from asyncio import core


class AIOESPNow(espnow.ESPNow):
    async def arecv(self):
        yield core._io_queue.queue_read(self)
        return self.recv(0)

    async def airecv(self):
        yield core._io_queue.queue_read(self)
        return self.irecv(0)

    async def asend(self, mac, msg=None, sync=None):
        if msg is None:
            mac, msg = None, mac
        yield core._io_queue.queue_write(self)
        return self.send(mac, msg, sync)

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.airecv()
