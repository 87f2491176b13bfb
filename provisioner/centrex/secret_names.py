"""The names of the secrets that phones' files refer to, and of the levels that say settings. No values."""

from __future__ import annotations

from urllib.parse import quote


def line_password(number: str) -> str:
    """The SIP password of a line."""
    return f"line/{number}/password"


def device_token(mac_hex: str) -> str:
    """The token under which a device fetches its configuration."""
    return f"device/{mac_hex}/token"


def encryption_key(mac_hex: str) -> str:
    """The AES key that goes with the device token: what is fetched under it is encrypted with this key.

    Its version is the number of the key's row.
    """
    return f"device/{mac_hex}/encryption-key"


def service_token(mac_hex: str) -> str:
    """The second token: phone books, media and reports, never configuration."""
    return f"device/{mac_hex}/service-token"


def admin_password(mac_hex: str) -> str:
    """The administrator's password of the phone's own pages."""
    return f"device/{mac_hex}/admin-password"


def user_password(mac_hex: str) -> str:
    """The user's password of the phone's own pages."""
    return f"device/{mac_hex}/user-password"


def secret_setting(subject: str, name: str) -> str:
    """A password-like parameter that a level sets."""
    return f"setting/{subject}/{name}"


def vendor_subject(vendor: str) -> str:
    """The vendor's level."""
    return f"vendor:{quote(vendor)}"


def model_subject(model: str) -> str:
    """The level of a model."""
    return f"model:{quote(model)}"


def customer_subject(login: str) -> str:
    """The level of a customer."""
    return f"customer:{quote(login)}"


def site_subject(login: str, site: str) -> str:
    """The level of a customer's site. Quoted, since a site's name may hold blanks and slashes."""
    return f"site:{quote(login)}/{quote(site, safe='')}"


def device_subject(mac_hex: str) -> str:
    """The level of one device."""
    return f"device:{mac_hex}"


def without_version(ref: str) -> str:
    """The name of the secret that the reference `name@version` is to."""
    return ref.rpartition("@")[0]
