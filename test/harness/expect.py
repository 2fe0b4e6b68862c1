"""Checks that say what was wrong."""


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {actual!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def contains(text, part, what):
    if part not in text:
        raise AssertionError(f"{what}: {part!r} not in {text[-1500:]!r}")


def success(done, what="command"):
    if done.code != 0 or done.timed_out:
        raise AssertionError(f"{what}: {done}")
    return done


def output(done, expected, what="command"):
    success(done, what)
    equal(done.out.decode("utf-8", "replace"), expected, f"output of {what}")


class Skip(Exception):
    """The test cannot run here; the reason is its text. Counted, never hidden."""
