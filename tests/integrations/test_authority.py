"""The port to a certificate authority: one contract for its adapters, and which one the settings give."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy.orm import Session

from integrations.authority import EstAuthority, connect
from integrations.simulators.authority import Authority, serve
from prescriptions.signing import authority, keys
from prescriptions.signing.authority import AuthorityUnavailable, CertificateAuthority, SetupAuthority
from prescriptions.signing.keys import KeptKeys
from tests.prescriptions.made import SIGNER
from tests.product import Hospital, make_settings
from worker.prescriptions import enrol

LOGIN = "clinic:password"
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def made(**given: Any) -> CertificateAuthority | None:
    return connect(make_settings("postgresql://localhost/x", "redis://localhost", **given))


@pytest.fixture
def est(tmp_path: Path) -> Iterator[EstAuthority]:
    """The adapter as the settings make it, and the stand-in behind it."""
    stand_in = Authority(LOGIN)
    roots = tmp_path / "roots.pem"
    roots.write_bytes(stand_in.root.public_bytes(Encoding.PEM))
    server = serve(stand_in)
    url = f"http://127.0.0.1:{server.server_port}/"
    found = made(signing_ca_url=url, signing_ca_login=LOGIN, signing_ca_roots=str(roots))
    assert isinstance(found, EstAuthority)
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["set-up", "est"])
def adapter(request: pytest.FixtureRequest) -> Iterator[CertificateAuthority]:
    found: CertificateAuthority = request.getfixturevalue("est") if request.param == "est" else SetupAuthority(b"x")
    authority.trust(found.roots)
    yield found
    assert SIGNER.authority
    authority.trust(SIGNER.authority.roots)


def test_it_gives_a_certificate_for_the_key_and_the_name(adapter: CertificateAuthority) -> None:
    wanted = keys.request_for(None)
    chain = adapter.issue(wanted.request, NOW)
    assert chain[0].public_key() == wanted.request.public_key()
    assert chain[0].subject == wanted.request.subject
    assert authority.trusted(chain, NOW)
    assert not authority.trusted(chain[:-1], NOW)
    assert not authority.trusted(chain, datetime(2090, 1, 1, tzinfo=UTC))


def test_another_authority_is_not_trusted(adapter: CertificateAuthority) -> None:
    assert not authority.trusted(SetupAuthority(b"another").issue(keys.request_for(None).request, NOW), NOW)


def test_a_certificate_of_a_person_issues_none(adapter: CertificateAuthority) -> None:
    """Whoever has one can't make another for somebody else."""
    mine = adapter.issue(keys.request_for(None).request, NOW)
    forged = SetupAuthority(b"another").issue(keys.request_for(None).request, NOW)
    assert not authority.trusted([forged[0], *mine], NOW)


def test_a_wrong_password_gives_none(est: EstAuthority) -> None:
    with pytest.raises(AuthorityUnavailable, match="401"):
        EstAuthority(est.url, "clinic:wrong", est.roots).issue(keys.request_for(None).request, NOW)
    with pytest.raises(AuthorityUnavailable):
        EstAuthority("http://127.0.0.1:9", LOGIN, est.roots).issue(keys.request_for(None).request, NOW)


PRODUCTION: dict[str, Any] = {
    "clinic_env": "production", "clinic_origin": "https://clinic.example.org", "secret_key": "s" * 40,
    "field_keys": "k1:" + "A" * 43 + "=", "blind_index_key": "b" * 40, "wechat_secret": "w" * 32,
    "wechat_token": "token", "wechat_api_origin": "https://api.weixin.qq.com",
    "wechat_open_origin": "https://open.weixin.qq.com",
    "wechat_jssdk_url": "https://res.wx.qq.com/open/js/jweixin-1.6.0.js",
}  # fmt: skip


def test_production_has_no_authority_of_its_own() -> None:
    assert isinstance(made(), SetupAuthority)
    assert made(**PRODUCTION) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"signing_ca_url": "https://ca.example.org"}, "all or none"),
        ({"signing_ca_url": "ca", "signing_ca_login": "a:b", "signing_ca_roots": "x"}, "SIGNING_CA_URL"),
        (
            {**PRODUCTION, "signing_ca_url": "http://ca.example", "signing_ca_login": "a:b", "signing_ca_roots": "x"},
            "SIGNING_CA_URL must be https",
        ),
    ],
)
def test_half_a_setting_stops_the_start(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(**given)


def test_the_worker_asks_for_what_is_missing(
    session: Session, hospital: Hospital, now: datetime, est: EstAuthority
) -> None:
    session.commit()
    enrol(est)
    session.expire_all()
    signer = KeptKeys(est)
    later = datetime.now(UTC)
    assert signer.certificate(session, hospital.doctor, later).practitioner_id == hospital.doctor.id
    assert signer.seal(session, later).practitioner_id is None
    assert keys.missing(session, est, later) == []
