"""ML-KEM-768 (FIPS 203), written for reading and for tests: not constant in time, not for real keys."""

import hashlib

Q = 3329
N = 256
K = 3
ETA = 2
DU, DV = 10, 4
KEY_BYTES = 384 * K + 32
CIPHERTEXT_BYTES = 32 * (DU * K + DV)

Polynomial = list[int]


def _reverse7(value: int) -> int:
    return int(f"{value:07b}"[::-1], 2)


ZETAS = [pow(17, _reverse7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse7(i) + 1, Q) for i in range(128)]


def encapsulation_key_is_good(key: bytes) -> bool:
    """The check of FIPS 203 section 7.2: length, and every coefficient below q."""
    return len(key) == KEY_BYTES and all(
        value < Q for at in range(K) for value in _unpack(key[384 * at : 384 * (at + 1)], 12)
    )


def key_pair(d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """ML-KEM.KeyGen_internal: encapsulation key and decapsulation key."""
    seed = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = seed[:32], seed[32:]
    s = [_ntt(_noise(sigma, at)) for at in range(K)]
    e = [_ntt(_noise(sigma, K + at)) for at in range(K)]
    t = [_add(_dot([_sample(rho, row, column) for column in range(K)], s), e[row]) for row in range(K)]
    public = b"".join(_pack(polynomial, 12) for polynomial in t) + rho
    secret = b"".join(_pack(polynomial, 12) for polynomial in s)
    return public, secret + public + hashlib.sha3_256(public).digest() + z


def encapsulate(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """ML-KEM.Encaps_internal: shared secret and ciphertext."""
    mixed = hashlib.sha3_512(message + hashlib.sha3_256(public).digest()).digest()
    return mixed[:32], _encrypt(public, message, mixed[32:])


def decapsulate(secret: bytes, ciphertext: bytes) -> bytes:
    """ML-KEM.Decaps_internal: the shared secret, or one that nobody knows."""
    public = secret[384 * K : 384 * K + KEY_BYTES]
    public_hash, z = secret[-64:-32], secret[-32:]
    message = _decrypt(secret[: 384 * K], ciphertext)
    mixed = hashlib.sha3_512(message + public_hash).digest()
    if _encrypt(public, message, mixed[32:]) == ciphertext:
        return mixed[:32]
    return hashlib.shake_256(z + ciphertext).digest(32)


def _encrypt(public: bytes, message: bytes, coins: bytes) -> bytes:
    t = [_unpack(public[384 * at : 384 * (at + 1)], 12) for at in range(K)]
    rho = public[384 * K :]
    y = [_ntt(_noise(coins, at)) for at in range(K)]
    noise = [_noise(coins, K + at) for at in range(K)]
    u = [_add(_inverse_ntt(_dot([_sample(rho, row, column) for row in range(K)], y)), noise[column]) for column in range(K)]
    bits = [_decompress(bit, 1) for bit in _unpack(message, 1)]
    v = _add(_add(_inverse_ntt(_dot(t, y)), _noise(coins, 2 * K)), bits)
    packed = b"".join(_pack([_compress(value, DU) for value in polynomial], DU) for polynomial in u)
    return packed + _pack([_compress(value, DV) for value in v], DV)


def _decrypt(secret: bytes, ciphertext: bytes) -> bytes:
    width = 32 * DU
    u = [[_decompress(value, DU) for value in _unpack(ciphertext[width * at : width * (at + 1)], DU)] for at in range(K)]
    v = [_decompress(value, DV) for value in _unpack(ciphertext[width * K :], DV)]
    s = [_unpack(secret[384 * at : 384 * (at + 1)], 12) for at in range(K)]
    product = _inverse_ntt(_dot(s, [_ntt(polynomial) for polynomial in u]))
    return _pack([_compress((left - right) % Q, 1) for left, right in zip(v, product, strict=True)], 1)


def _sample(rho: bytes, row: int, column: int) -> Polynomial:
    """SampleNTT of the matrix entry in that row and column."""
    stream = hashlib.shake_128(rho + bytes([column, row])).digest(3 * N * 4)
    values: Polynomial = []
    for at in range(0, len(stream), 3):
        low, middle, high = stream[at : at + 3]
        values += [value for value in (low | (middle & 15) << 8, middle >> 4 | high << 4) if value < Q]
        if len(values) >= N:
            return values[:N]
    raise AssertionError("the stream is too short")


def _noise(seed: bytes, counter: int) -> Polynomial:
    bits = _unpack(hashlib.shake_256(seed + bytes([counter])).digest(64 * ETA), 1)
    width = 2 * ETA
    return [(sum(bits[at : at + ETA]) - sum(bits[at + ETA : at + width])) % Q for at in range(0, N * width, width)]


def _ntt(polynomial: Polynomial) -> Polynomial:
    values, zeta, length = list(polynomial), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            for at in range(start, start + length):
                turned = ZETAS[zeta] * values[at + length] % Q
                values[at], values[at + length] = (values[at] + turned) % Q, (values[at] - turned) % Q
            zeta += 1
        length //= 2
    return values


def _inverse_ntt(polynomial: Polynomial) -> Polynomial:
    values, zeta, length = list(polynomial), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            for at in range(start, start + length):
                left, right = values[at], values[at + length]
                values[at], values[at + length] = (left + right) % Q, ZETAS[zeta] * (right - left) % Q
            zeta -= 1
        length *= 2
    return [value * 3303 % Q for value in values]


def _dot(left: list[Polynomial], right: list[Polynomial]) -> Polynomial:
    total = [0] * N
    for a, b in zip(left, right, strict=True):
        for at in range(128):
            a0, a1, b0, b1 = a[2 * at], a[2 * at + 1], b[2 * at], b[2 * at + 1]
            total[2 * at] += a0 * b0 + a1 * b1 % Q * GAMMAS[at]
            total[2 * at + 1] += a0 * b1 + a1 * b0
    return [value % Q for value in total]


def _add(left: Polynomial, right: Polynomial) -> Polynomial:
    return [(a + b) % Q for a, b in zip(left, right, strict=True)]


def _compress(value: int, bits: int) -> int:
    return (2 * (value << bits) + Q) // (2 * Q) % (1 << bits)


def _decompress(value: int, bits: int) -> int:
    return (2 * Q * value + (1 << bits)) >> (bits + 1)


def _pack(values: Polynomial, bits: int) -> bytes:
    number = sum(value << bits * at for at, value in enumerate(values))
    return number.to_bytes(len(values) * bits // 8, "little")


def _unpack(data: bytes, bits: int) -> Polynomial:
    number = int.from_bytes(data, "little")
    mask = (1 << bits) - 1
    return [number >> bits * at & mask for at in range(len(data) * 8 // bits)]
