# webrepl_setup: asks for a password, and whether WebREPL is to be started by boot.py. To be imported at the prompt.
import os

_BOOT = "./boot.py"
_CONFIG = "./webrepl_cfg.py"
_LINES = "import webrepl", "webrepl.start()"


def _ask(question, answers):
    while True:
        answer = input(question)
        if answer in answers:
            return answer


def _new_password():
    while True:
        first = input("New password (4-9 chars): ")
        if not 4 <= len(first) <= 9:
            print("Invalid password length")
        elif input("Confirm password: ") == first:
            return first
        else:
            print("Passwords do not match")


def _lines():
    try:
        with open(_BOOT) as boot:
            return list(boot)
    except OSError:
        return []


def _is_ours(line):
    return any(ours in line for ours in _LINES)


def _is_on():
    return any(_is_ours(line) and not line.startswith("#") for line in _lines())


# Takes the lines into boot.py, or makes comments of them.
def _switch(on):
    lines = [line for line in _lines() if not (on and _is_ours(line))]
    if on:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.extend(line + "\n" for line in _LINES)
    else:
        lines = ["#" + line if _is_ours(line) and not line.startswith("#") else line for line in lines]
    with open(_BOOT + ".tmp", "w") as boot:
        for line in lines:
            boot.write(line)
    os.rename(_BOOT + ".tmp", _BOOT)


def _has_config():
    try:
        os.stat(_CONFIG)
        return True
    except OSError:
        return False


def _main():
    is_on = _is_on()
    print("WebREPL daemon auto-start status:", "enabled" if is_on else "disabled")
    print("\nWould you like to (E)nable or (D)isable it running on boot?")
    print("(Empty line to quit)")
    answer = input("> ").upper()
    if answer == "E":
        if _has_config():
            change = _ask("Would you like to change WebREPL password? (y/n) ", ("y", "n", "")) == "y"
        else:
            print("To enable WebREPL, you must set password for it")
            change = True
        if change:
            secret = _new_password()
            with open(_CONFIG, "w") as config:
                config.write("PASS = %r\n" % secret)
    if answer not in ("E", "D") or (answer == "E") == is_on:
        print("No further action required")
        return
    _switch(answer == "E")
    print("Changes will be activated after reboot")
    if _ask("Would you like to reboot now? (y/n) ", ("y", "n", "")) == "y":
        import machine

        machine.reset()


_main()
