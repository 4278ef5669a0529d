"""Signatures and encryption: the platform's published vectors, and an agreement with another implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto

from tests.wechat.simulator.conftest import VECTORS
from tests.wechat.simulator.toy import AES_KEY, APPID, TOKEN
from wechat.simulator import crypto, xml

ENCRYPTED = ["C_safe_post", "D_safe_reply", "E_official_Sample_py_compat"]


@pytest.mark.parametrize("name", ["A_url_verify", "B_plain_post", "C_safe_post"])
def test_signature_vectors(name: str) -> None:
    vector = VECTORS[name]
    assert crypto.sign(vector["token"], vector["timestamp"], vector["nonce"]) == vector["signature"]


@pytest.mark.parametrize("name", ENCRYPTED)
def test_encryption_vectors_both_ways(name: str) -> None:
    vector = VECTORS[name]
    key, appid = vector["encoding_aes_key"], vector["appid"]
    parts = (vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"])
    assert crypto.sign(*parts) == vector["msg_signature"]
    assert crypto.decrypt(vector["encrypt"], key, appid) == vector["plaintext"]
    again = crypto.encrypt(vector["plaintext"], key, appid, vector["random16"].encode())
    assert again == vector["encrypt"]


def test_page_signature_vector() -> None:
    vector = VECTORS["J1_jssdk_signature"]
    values = (vector["jsapi_ticket"], vector["noncestr"], vector["timestamp"])
    assert crypto.sign_page(*values, vector["url"]) == vector["signature"]
    assert crypto.sign_page(*values, vector["url"] + "#part") == vector["signature"]
    assert crypto.sign_page(*values, vector["url"] + "/") != vector["signature"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_wechatpy_reads_what_the_simulator_writes_and_back(content: str) -> None:
    theirs = WeChatCrypto(TOKEN, AES_KEY, APPID)
    plain = xml.build({"Content": content})
    sealed = crypto.encrypt(plain, AES_KEY, APPID)
    outer = xml.build({"Encrypt": sealed})
    assert theirs.decrypt_message(outer, crypto.sign(TOKEN, "1", "2", sealed), "1", "2") == plain
    reply = xml.parse(theirs.encrypt_message(plain, "2", "1"))
    assert reply["MsgSignature"] == crypto.sign(TOKEN, "1", "2", reply["Encrypt"])
    assert xml.parse(crypto.decrypt(reply["Encrypt"], AES_KEY, APPID))["Content"] == content


FOREIGN = {
    "nothing": "",
    "no base64": "not base64!",
    "no block": "AAAA",
    "another account": crypto.encrypt("x", AES_KEY, "wxanother"),
    "another key": crypto.encrypt("x", "B" * 43, APPID, b"0" * 16),
}


@pytest.mark.parametrize("sealed", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_ours_is_refused(sealed: str) -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(sealed, AES_KEY, APPID)


@pytest.mark.parametrize("text", ["", "<xml>", "<a/>", "{}", "<!DOCTYPE xml [<!ENTITY a 'b'>]><xml><A>&a;</A></xml>"])
def test_what_is_not_a_message_is_refused(text: str) -> None:
    with pytest.raises(xml.XmlError):
        xml.parse(text)


def test_xml_survives_its_own_quoting() -> None:
    fields = {"A": "]]>", "B": 5, "C": {"item": ["x", "<y>"]}}
    assert xml.parse(xml.build(fields)) == {"A": "]]>", "B": "5", "C": {"item": ["x", "<y>"]}}
