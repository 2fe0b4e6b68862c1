#!/usr/bin/env python3
"""Counts the test cases of a `bazel test` run: prints "passed failed".

  test/count_unit_tests.py BUILD_EVENTS.json

A target that failed without a report of its cases (a crash, a time limit)
counts as one failed test.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree


def cases(report):
    """(passed, failed) of a test.xml."""
    passed = failed = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return passed, failed


def main():
    passed = failed = 0
    with open(sys.argv[1], encoding="utf-8") as events:
        for event in map(json.loads, events):
            result = event.get("testResult")
            if not result:
                continue
            good = result["status"] in ("PASSED", "FLAKY")
            reports = [output["uri"] for output in result.get("testActionOutput", [])
                       if output["name"] == "test.xml"]
            found = (0, 0)
            for uri in reports:
                try:
                    found = cases(urllib.parse.unquote(uri.removeprefix("file://")))
                except (OSError, xml.etree.ElementTree.ParseError):
                    pass
            passed += found[0] if sum(found) else int(good)
            failed += found[1] if found[1] or good else 1
    print(passed, failed)


if __name__ == "__main__":
    main()
