# Pins made in Python, signals over them, and pulses.
try:
    import machine
    machine.Signal
    machine.PinBase
except (ImportError, AttributeError):
    print("SKIP")
    raise SystemExit


class Lamp(machine.PinBase):
    def __init__(self, level=0):
        self.level = level

    def value(self, level=None):
        if level is None:
            return self.level
        print("lamp", level)
        self.level = level


for lamp, options in ((Lamp(), {}), (Lamp(), {"invert": False}), (Lamp(), {"invert": True}), (Lamp(1), {"invert": 1})):
    signal = machine.Signal(lamp, **options)
    print(lamp.level, signal.value(), signal())
    signal.on()
    print(lamp.level, signal.value())
    signal.off()
    print(lamp.level, signal.value())
    signal(1)
    signal.value(0)
    print(signal(0), signal.value())


class Blinking(machine.PinBase):
    def __init__(self):
        self.asked = 0

    def value(self):
        self.asked += 1
        return self.asked >> 2 & 1


print(machine.time_pulse_us(Blinking(), 1) >= 0, machine.time_pulse_us(Blinking(), 0) >= 0)
print(machine.time_pulse_us(Lamp(0), 1, 5), machine.time_pulse_us(Lamp(0), 0, 5))
print(machine.time_pulse_us(Lamp(1), 0, 5), machine.time_pulse_us(Lamp(1), 1, 5))


class Broken(machine.PinBase):
    def value(self, *level):
        raise OSError(5)


for attempt in (lambda: machine.Signal(Broken()).value(), lambda: machine.Signal(Broken()).on(), lambda: machine.time_pulse_us(Broken(), 1)):
    try:
        attempt()
    except OSError as error:
        print(error.errno)


class Level(machine.PinBase):
    def value(self):
        return 6


class Derived(machine.Signal):
    pass


print(Derived(Level())(), Derived(Level(), invert=True)(), machine.Signal(Level()).value())
