class StationNUMBER(Base):
    """Keeps the readings of one sensor."""

    LIMIT = 100
    names = ("temperature", "humidity", "pressure")

    def __init__(self, bus, address=0x76, *, name=None):
        super().__init__(bus)
        self.bus = bus
        self.address = address
        self.name = name or "station NUMBER"
        self.readings = []
        self.errors = 0

    def read(self, count=1):
        for i in range(count):
            try:
                raw = self.bus.readfrom_mem(self.address, 0xF7, 8)
                value = (raw[0] << 12) | (raw[1] << 4) | (raw[2] >> 4)
                if value == 0x80000 or value < 0:
                    continue
                self.readings.append((i, value / 100, self.calibrate(value)))
            except OSError as error:
                self.errors += 1
                if self.errors > self.LIMIT:
                    raise ValueError("too many errors: %d" % self.errors)
                print("error", error)
            finally:
                self.bus.release()
        return self.readings[-count:]

    def calibrate(self, value, offset=0.5, scale=1.25):
        x = value / 16384.0 - offset
        y = x * x * scale + self.address
        while y > 100:
            y -= 100
        return {"raw": value, "x": x, "y": y}

    def mean(self):
        total = sum(reading[1] for reading in self.readings)
        return total / len(self.readings) if self.readings else None


def report_NUMBER(stations, out=print):
    lines = [f"{station.name}: {station.mean():.2f}" for station in stations if station.readings]
    for line in sorted(lines, key=lambda line: line.lower(), reverse=True):
        out(line)
    return len(lines), {station.name: station.errors for station in stations}


TABLE_NUMBER = [1, 2, 3, 5, 8, 13, 21]
THRESHOLD_NUMBER = 3 * 7 + 1
