"""The live engine and the library for Python's ctypes, in simulated time."""
import ctypes
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LIBRETTO_BUILD", ROOT / ".build/release"))
os.environ.setdefault("LIBRETTO_MODELS", str(ROOT / "models"))
PPQ = 960
PLAY, ANSWER, TRADE, ACCOMPANY = range(4)

NOTE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_int, ctypes.c_int)
PROGRAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_int)
CANCEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)


class Sink(ctypes.Structure):
    _fields_ = [("user", ctypes.c_void_p), ("note", NOTE), ("program", PROGRAM), ("cancel", CANCEL)]


class Info(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("least", ctypes.c_double), ("most", ctypes.c_double),
                ("initial", ctypes.c_double), ("is_whole", ctypes.c_bool)]


class State(ctypes.Structure):
    _fields_ = [("is_playing", ctypes.c_bool), ("is_finished", ctypes.c_bool), ("holding", ctypes.c_int),
                ("sounding", ctypes.c_int), ("key", ctypes.c_int), ("tempo", ctypes.c_double), ("bar", ctypes.c_int64),
                ("late", ctypes.c_uint64), ("status", ctypes.c_int), ("drawn", ctypes.c_uint64), ("end", ctypes.c_double)]


class Transport(ctypes.Structure):
    _fields_ = [("tempo", ctypes.c_double), ("is_running", ctypes.c_bool), ("position", ctypes.c_double),
                ("bar", ctypes.c_double), ("numerator", ctypes.c_int), ("denominator", ctypes.c_int)]


def load():
    """The library and the engine, compiled."""
    c = ctypes.CDLL(str(BUILD / "libretto.so"), mode=ctypes.RTLD_GLOBAL)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "liblive.so")
        subprocess.run(["gcc", "-std=c11", "-O2", "-shared", "-fPIC", f"-I{ROOT}/Include", f"-I{ROOT}/Sources/Live",
                        *map(str, (ROOT / "Sources/Live").glob("*.c")), "-o", path, "-lm"], check=True)
        live = ctypes.CDLL(path)
    for name in ("live_size", "live_save"):
        getattr(live, name).restype = ctypes.c_size_t
    for name in ("live_get", "live_advance"):
        getattr(live, name).restype = ctypes.c_double
    live.live_open.restype = ctypes.c_void_p
    live.live_set.restype = live.live_restore.restype = ctypes.c_bool
    live.live_get_parameter_info.restype = ctypes.POINTER(Info)
    c.retto_last_error.restype = ctypes.c_char_p
    return c, live


c, live = load()
PARAMETERS = {}
while info := live.live_get_parameter_info(len(PARAMETERS)):
    PARAMETERS[info.contents.name.decode()] = len(PARAMETERS)


def check(status):
    if status:
        raise RuntimeError(c.retto_last_error().decode())


class Model:
    def __init__(self, name):
        self.handle = ctypes.c_void_p()
        check(c.retto_model_load_named(name.encode(), ctypes.byref(self.handle)))


class Engine:
    """An instance. `events` has what was handed over: (tick, channel, pitch, velocity), in this order; a cancel takes
    back what is later."""

    def __init__(self, model, seed=1, bars=64):
        self.session = ctypes.c_void_p()
        check(c.retto_session_create(model.handle, None, ctypes.byref(self.session)))
        self.events = []
        self.sink = Sink(None, NOTE(self.note), PROGRAM(lambda *_: None), CANCEL(self.cancel))
        self.memory = ctypes.create_string_buffer(live.live_size(self.session, bars) + 16)
        self.l = ctypes.c_void_p(live.live_open(self.memory, model.handle, self.session, bars, ctypes.c_uint64(seed),
                                                ctypes.byref(self.sink)))

    def note(self, _, tick, channel, pitch, velocity):
        self.events.append((tick, channel, pitch, velocity))

    def cancel(self, _, tick):
        self.events = [e for e in self.events if e[0] < tick]

    def set(self, name, value):
        return live.live_set(self.l, PARAMETERS[name], ctypes.c_double(value))

    def hear(self, tick, *message, source=0):
        live.live_hear(self.l, ctypes.c_double(tick), source, bytes(message), ctypes.c_size_t(len(message)))

    def advance(self, now, horizon, draws=1000):
        return live.live_advance(self.l, ctypes.c_double(now), ctypes.c_double(horizon), draws)

    def transport(self, tick, tempo=120.0, running=True, position=0.0, bar=0.0, numerator=4, denominator=4):
        t = Transport(tempo, running, position, bar, numerator, denominator)
        live.live_transport(self.l, ctypes.c_double(tick), ctypes.byref(t))

    def tempo(self, tempo):
        live.live_set_tempo(self.l, ctypes.c_double(tempo))

    def silence(self, tick):
        live.live_silence(self.l, ctypes.c_double(tick))

    @property
    def state(self):
        state = State()
        live.live_get_state(self.l, ctypes.byref(state))
        return state

    def save(self, tick):
        tick = ctypes.c_double(tick)
        size = live.live_save(self.l, tick, None, ctypes.c_size_t(0))
        buffer = ctypes.create_string_buffer(size)
        assert live.live_save(self.l, tick, buffer, ctypes.c_size_t(size)) == size
        return buffer.raw

    def restore(self, saved):
        return live.live_restore(self.l, bytes(saved), ctypes.c_size_t(len(saved)))

    def notes(self):
        """(start, end, pitch, velocity) of the notes handed over; ends of None are missing."""
        open_, result = {}, []
        for tick, channel, pitch, velocity in self.events:
            if velocity:
                open_[channel, pitch] = len(result)
                result.append([tick, None, pitch, velocity])
            elif (channel, pitch) in open_:
                result[open_.pop((channel, pitch))][1] = tick
        return result

    def close(self):
        c.retto_session_free(self.session)
