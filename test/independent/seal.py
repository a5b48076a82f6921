"""Opens and seals bodies as protocol/SPEC.md section 9 says, with PyNaCl; knows nothing of the other implementation.

Reads one JSON object: {"do": "open" | "seal", "secret", "context", "recipient", "encapsulated", "label", ...}, bytes in hexadecimal.
"""

import hashlib
import hmac
import json
import sys

import nacl.secret

CHUNK = 65536


def derive(job):
    digest = lambda name: hashlib.sha256(bytes.fromhex(job[name])).digest()
    info = b"tidegate/1 " + job["label"].encode() + b"\0\1" + digest("context") + digest("recipient") + digest("encapsulated")
    extracted = hmac.new(bytes(32), bytes.fromhex(job["secret"]), hashlib.sha256).digest()
    first = hmac.new(extracted, info + b"\1", hashlib.sha256).digest()
    second = hmac.new(extracted, first + info + b"\2", hashlib.sha256).digest()
    return first, second


def nonce(index, last):
    return b"tg1.body" + bytes(7) + index.to_bytes(8, "big") + (b"\1" if last else b"\0")


def parts(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


job = json.load(sys.stdin)
key, commitment = derive(job)
box = nacl.secret.SecretBox(key)
if job["do"] == "open":
    assert commitment.hex() == job["commitment"], "commitment"
    chunks = parts(bytes.fromhex(job["ciphertext"]), CHUNK + 16)
    opened = [box.decrypt(chunk, nonce(i, i == len(chunks) - 1)) for i, chunk in enumerate(chunks)]
    padded = b"".join(opened)
    end = padded.rindex(b"\x80")
    assert len(padded) % 256 == 0 and len(padded) - end <= 256 and not any(padded[end + 1 :]), "padding"
    print(json.dumps({"plaintext": padded[:end].hex()}))
else:
    plaintext = bytes.fromhex(job["plaintext"]) + b"\x80"
    chunks = parts(plaintext + bytes(-len(plaintext) % 256), CHUNK)
    sealed = [box.encrypt(chunk, nonce(i, i == len(chunks) - 1)).ciphertext for i, chunk in enumerate(chunks)]
    print(json.dumps({"commitment": commitment.hex(), "ciphertext": b"".join(sealed).hex()}))
