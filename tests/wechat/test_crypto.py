"""WeChat's published vectors, and each way in which cipher text can be wrong."""

from __future__ import annotations

import base64
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto

from wechat.crypto import Crypto, Forged
from wechat.inbound import encrypted_part, parse
from wechat.jssdk import sign
from wechat.messages import Text

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
CRYPTO = Crypto("token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx5f0c1de9a7b34286")


def crypto(vector: dict[str, str]) -> Crypto:
    return Crypto(vector["token"], vector.get("encoding_aes_key", ""), vector.get("appid", ""))


@pytest.mark.parametrize("name", ["A_url_verify", "B_plain_post", "C_safe_post"])
def test_signature(name: str) -> None:
    vector = VECTORS[name]
    crypto(vector).check(vector["signature"], vector["timestamp"], vector["nonce"])
    with pytest.raises(Forged):
        crypto(vector).check(vector["signature"], vector["timestamp"], vector["nonce"] + "1")


@pytest.mark.parametrize("name", ["C_safe_post", "D_safe_reply", "E_official_Sample_py_compat"])
def test_opens_what_wechat_sealed(name: str) -> None:
    vector = VECTORS[name]
    opened = crypto(vector).open(vector["encrypt"], vector["msg_signature"], vector["timestamp"], vector["nonce"])
    assert opened == vector["plaintext"]


def test_compatible_push_holds_both() -> None:
    vector = VECTORS["E_official_Sample_py_compat"]
    assert encrypted_part(vector["xml"].encode()) == vector["encrypt"]
    message = parse(vector["plaintext"])
    assert isinstance(message, Text)
    assert message.words == "abcdteT"
    assert "6054768590064713728" in message.identity


def test_page_signature() -> None:
    vector = VECTORS["J1_jssdk_signature"]
    parts = (vector["jsapi_ticket"], vector["noncestr"], vector["timestamp"], vector["url"])
    assert sign(*parts) == vector["signature"]
    assert sign(*parts[:3], parts[3] + "#top") == vector["signature"]


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=200))
def test_opens_what_it_sealed(message: str) -> None:
    sealed = CRYPTO.seal(message, "1714112445", "nonce")
    parts = [sealed.split(f"<{name}><![CDATA[")[1].split("]]>")[0] for name in ("Encrypt", "MsgSignature")]
    assert CRYPTO.open(parts[0], parts[1], "1714112445", "nonce") == message


def test_random_bytes_differ() -> None:
    first, second = (CRYPTO.seal("x", "1", "n").split("]]>")[0] for _ in range(2))
    assert first != second


def test_sealed_byte_for_byte_as_by_wechatpy_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0123456789abcdef")
    monkeypatch.setattr(PrpCrypto, "get_random_string", lambda _: "0123456789abcdef")
    theirs = PrpCrypto(base64.b64decode(CRYPTO.aes_key + "="))
    wanted = {words: theirs.encrypt(words, CRYPTO.appid).decode() for words in ("一", "two", "x" * 300)}

    def seal(words: str) -> bool:
        both_ways = open_text(wanted[words]) == words
        return both_ways and f"<Encrypt><![CDATA[{wanted[words]}]]>" in CRYPTO.seal(words, "1", "n")

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(seal, [*wanted] * 20))
        with pytest.raises(Forged):
            open_text("A" * 128)
        assert all(seal(words) for words in wanted)


def open_plain(plain: bytes) -> str:
    """Open these bytes, encrypted with the right key and signed."""
    key = base64.b64decode(CRYPTO.aes_key + "=")
    return open_text(base64.b64encode(PrpCrypto(key).cipher.encrypt(plain)).decode())


def open_text(encrypted: str) -> str:
    return CRYPTO.open(encrypted, CRYPTO.signature("1", "n", encrypted), "1", "n")


def padded(content: bytes) -> bytes:
    padding = 32 - len(content) % 32
    return content + bytes([padding]) * padding


APPID = CRYPTO.appid.encode()
GOOD = bytes(16) + (5).to_bytes(4, "big") + b"hello" + APPID


def test_good_one() -> None:
    assert open_plain(padded(GOOD)) == "hello"


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(padded(GOOD)[:-1] + b"\0", id="padding zero"),
        pytest.param(GOOD + bytes([53]) * 53, id="padding over 32"),
        pytest.param(padded(GOOD)[:-2] + b"\x01" + padded(GOOD)[-1:], id="padding bytes differ"),
        pytest.param(padded(GOOD[:-1] + b"0"), id="another account"),
        pytest.param(padded(GOOD + b"x"), id="appid and more"),
        pytest.param(padded(bytes(16) + b"\xff\xff\xff\xff" + b"hello" + APPID), id="length too long"),
        pytest.param(padded(bytes(16) + (4).to_bytes(4, "big") + b"hello" + APPID), id="length too short"),
        pytest.param(padded(b"short"), id="no head"),
        pytest.param(bytes([32]) * 32, id="nothing but padding"),
        pytest.param(padded(bytes(16) + (1).to_bytes(4, "big") + b"\xff" + APPID), id="not UTF-8"),
        pytest.param(padded(GOOD)[:-16], id="half a block"),
    ],
)
def test_forged_plain_text(plain: bytes) -> None:
    with pytest.raises(Forged):
        open_plain(plain)


@pytest.mark.parametrize("encrypted", ["", "!", "AAAA", "A" * 43, "é" * 44, "AAAA\n" * 20, "=" * 44])
def test_forged_cipher_text(encrypted: str) -> None:
    with pytest.raises(Forged):
        open_text(encrypted)


@given(st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()) | st.text(max_size=100))
def test_any_cipher_text_is_opened_or_forged(encrypted: str) -> None:
    try:
        open_text(encrypted)
    except Forged:
        return
    raise AssertionError("opened")


def test_the_signature_is_looked_at_first() -> None:
    with pytest.raises(Forged, match="signature"):
        CRYPTO.open("!", "0" * 40, "1", "n")
    with pytest.raises(Forged, match="signature"):
        CRYPTO.open("!", "ü", "1", "n")
