"""Keys and signatures."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from evalsys.publication.bundle.signature import Signature, SigningKey, fingerprint

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNED = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


def test_the_first_vector_of_rfc_8032() -> None:
    """RFC 8032, 7.1, test 1: the signature of the empty message."""
    pem = b"-----BEGIN PRIVATE KEY-----\n" + b64encode(PKCS8 + SEED) + b"\n-----END PRIVATE KEY-----\n"
    signature = SigningKey(pem).sign(b"")
    assert signature == Signature(b64encode(PUBLIC).decode(), b64encode(SIGNED).decode())
    assert signature.holds(b"")
    assert not signature.holds(b"more")


def test_keys_differ_and_have_fingerprints() -> None:
    one, other = SigningKey.fresh(), SigningKey.fresh()
    assert one.public != other.public
    assert one.sign(b"x").fingerprint == fingerprint(one.public)
    assert len(fingerprint(one.public)) == 19
    assert SigningKey(one.pem).public == one.public


def test_a_key_of_another_kind() -> None:
    pem = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="no Ed25519 key"):
        SigningKey(pem).sign(b"")
    with pytest.raises(ValueError, match="PEM"):
        SigningKey(b"no key").sign(b"")
