# unittest: test cases as classes, as CPython's module of this name has them, in small.

import sys


class SkipTest(Exception):
    pass


class _Expectation:
    # `with self.assertRaises(...)`

    def __init__(self, case, expected, text=None):
        self.case = case
        self.expected = expected
        self.text = text
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc, tb):
        self.exception = exc
        if exc_type is None:
            raise AssertionError("%r not raised" % (self.expected,))
        if not issubclass(exc_type, self.expected):
            return False
        if self.text is not None:
            import re

            if not re.search(self.text, str(exc)):
                raise AssertionError("%r does not match %r" % (self.text, str(exc)))
        return True


class _SubTest:
    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc, tb):
        return False


class TestCase:
    def setUp(self):
        pass

    def tearDown(self):
        pass

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def subTest(self, msg=None, **params):
        return _SubTest()

    def skipTest(self, reason):
        raise SkipTest(reason)

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def _check(self, holds, msg, what):
        if not holds:
            raise AssertionError(msg or what)

    def assertEqual(self, first, second, msg=None):
        self._check(first == second, msg, "%r != %r" % (first, second))

    def assertNotEqual(self, first, second, msg=None):
        self._check(first != second, msg, "%r == %r" % (first, second))

    def assertAlmostEqual(self, first, second, places=None, msg=None, delta=None):
        limit = delta if delta is not None else 0.5 * 10 ** -(7 if places is None else places)
        self._check(first == second or abs(first - second) <= limit, msg, "%r != %r" % (first, second))

    def assertLess(self, first, second, msg=None):
        self._check(first < second, msg, "%r >= %r" % (first, second))

    def assertLessEqual(self, first, second, msg=None):
        self._check(first <= second, msg, "%r > %r" % (first, second))

    def assertGreater(self, first, second, msg=None):
        self._check(first > second, msg, "%r <= %r" % (first, second))

    def assertGreaterEqual(self, first, second, msg=None):
        self._check(first >= second, msg, "%r < %r" % (first, second))

    def assertTrue(self, value, msg=None):
        self._check(value, msg, "%r is not true" % (value,))

    def assertFalse(self, value, msg=None):
        self._check(not value, msg, "%r is not false" % (value,))

    def assertIs(self, first, second, msg=None):
        self._check(first is second, msg, "%r is not %r" % (first, second))

    def assertIsNot(self, first, second, msg=None):
        self._check(first is not second, msg, "%r is %r" % (first, second))

    def assertIsNone(self, value, msg=None):
        self._check(value is None, msg, "%r is not None" % (value,))

    def assertIsNotNone(self, value, msg=None):
        self._check(value is not None, msg, "None")

    def assertIn(self, item, container, msg=None):
        self._check(item in container, msg, "%r not in %r" % (item, container))

    def assertNotIn(self, item, container, msg=None):
        self._check(item not in container, msg, "%r in %r" % (item, container))

    def assertIsInstance(self, value, cls, msg=None):
        self._check(isinstance(value, cls), msg, "%r is no %r" % (value, cls))

    def assertRaises(self, expected, function=None, *args, **kwargs):
        expectation = _Expectation(self, expected)
        if function is None:
            return expectation
        with expectation:
            function(*args, **kwargs)

    def assertRaisesRegex(self, expected, text, function=None, *args, **kwargs):
        expectation = _Expectation(self, expected, text)
        if function is None:
            return expectation
        with expectation:
            function(*args, **kwargs)


def skip(reason):
    def decorate(what):
        what_skipped = lambda *args: _skip(reason)
        return what_skipped

    return decorate


def _skip(reason):
    raise SkipTest(reason)


def skipIf(condition, reason):
    return skip(reason) if condition else lambda what: what


def skipUnless(condition, reason):
    return skipIf(not condition, reason)


class TestResult:
    def __init__(self):
        self.testsRun = 0
        self.failures = []
        self.errors = []
        self.skipped = []

    def wasSuccessful(self):
        return not self.failures and not self.errors


def _run_case(cls, result):
    if not isinstance(cls, type):
        return
    case = cls()
    case.setUpClass()
    for name in dir(case):
        if not name.startswith("test"):
            continue
        method = getattr(case, name)
        if not callable(method):
            continue
        print("%s (%s) ..." % (name, cls.__name__), end="")
        result.testsRun += 1
        try:
            case.setUp()
            try:
                method()
            finally:
                case.tearDown()
            print(" ok")
        except SkipTest as reason:
            result.skipped.append((name, str(reason)))
            print(" skipped:", reason)
        except AssertionError as error:
            result.failures.append((name, error))
            print(" FAIL")
            sys.print_exception(error)
        except Exception as error:
            result.errors.append((name, error))
            print(" ERROR")
            sys.print_exception(error)
    case.tearDownClass()


def main(module="__main__", testRunner=None):
    if isinstance(module, str):
        module = __import__(module)
    result = TestResult()
    for name in dir(module):
        cls = getattr(module, name)
        if isinstance(cls, type) and issubclass(cls, TestCase) and cls is not TestCase:
            _run_case(cls, result)
    print("-" * 70)
    print("Ran %d tests\n" % result.testsRun)
    if not result.wasSuccessful():
        print("FAILED (failures=%d, errors=%d)" % (len(result.failures), len(result.errors)))
    elif result.skipped:
        print("OK (skipped=%d)" % len(result.skipped))
    else:
        print("OK")
    return result
