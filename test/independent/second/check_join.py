"""Runs join.json."""

from .expecting import Case, expect_equal, from_hex
from .join import open_request, read_code


def check_code(case: Case) -> None:
    """A code and what it says."""
    code = read_code(case["text"])
    found = {
        "codeId": code.code_id.hex(),
        "secret": code.secret.hex(),
        "rootVersion": code.root_version,
        "rootId": code.root_id.hex(),
        "role": code.role,
        "nodeName": code.name,
        "address": code.address,
    }
    for name, value in found.items():
        expect_equal(name, value, case.get(name))


def check_request(case: Case) -> None:
    """A request under the code that the vault holds."""
    request = open_request(from_hex(case, "request"), read_code(case["code"]))
    found = (request.node_id.hex(), request.name, request.nonce.hex())
    expect_equal("request", found, (case["nodeId"], case["nodeName"], case["nonce"]))


JOIN_CHECKS = {"code": check_code, "request": check_request}
