"""One customer never sees another's anything (rule 8): what a phone may fetch, bring or report is its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations, product

import pytest

from phone_templates.yealink.models import find_model
from provisioner.app import Running
from provisioner.centrex.mac import MacAddress
from provisioner.operations.devices import show_device
from provisioner.operations.installation import Installation
from provisioner.operations.uploads import list_uploads
from tests.provisioner.conftest import apply_text
from tests.provisioner.firmware import put_firmware
from tests.provisioner.web.asking import T46S, ask, claim, service_of, token_of

ENDINGS = (".cfg", ".boot", "-local.cfg", "-contact.xml", "-calllog.xml", "-sys.log", "-boot.log")
MODEL_FILE = find_model("T46S").model_file
UPLOADS = {
    "-contact.xml": "<root_contact/>",
    "-local.cfg": "#!version:1.0.0.1\nlocal_time.time_format = 0\n",
    "-sys.log": "registered\n",
}
COMPANY = """
customers:
  - login: {login}
    name: {login} spółka
    phone:
      action_urls: true
      backups: true
      boot_mode: true
      ringtones: [dzwonek.wav]
      logo: "{login}.jpg"
      firmware: {{T46S: {firmware}}}
    sites: [{{name: {login} magazyn}}]
    lines: [{{number: "{line}", product: telefonia-ip-plus}}]
    extensions: [{{number: "101", line: "{line}", name: {login} recepcja, published: true}}]
    hunt_groups: [{{number: "600", name: {login} sprzedaż, members: [{{extension: "101"}}]}}]
    devices:
      - mac: "{mac}"
        model: T46S
        name: {login} telefon
        site: {login} magazyn
        accounts: [{{account: 1, line: "{line}"}}]
        keys: [{{key: 2, type: blf, value: "101", label: {login} klawisz}}]
"""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Company:
    """A customer that has all that a phone may fetch, and has fetched and brought it."""

    login: str
    "Stands in every name that is its own."
    mac: str
    line: str
    firmware: str
    token: str = ""
    service: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What nobody else may see."""
        mac = MacAddress(self.mac)
        words = (self.login, mac.hex, mac.hex.upper(), str(mac), self.line, self.token, self.service)
        return tuple(word for word in words if word)

    @property
    def names(self) -> list[str]:
        """What its phone may fetch, or bring, or report."""
        own = [f"{self.mac}{ending}" for ending in ENDINGS] + [f"{MacAddress(self.mac)}.cfg".upper()]
        files = [f"media/{self.login}.jpg", f"firmware/{self.firmware}"]
        detours = [
            f"media/{self.login}/dzwonek.wav",
            f"media/../{self.login}/{self.login}.jpg",
            f"{self.login}/phonebook.xml",
            f"browser/{self.login}.xml",
            f"{self.service}/phonebook.xml",
            f"{self.service}/{self.mac}-contact.xml",
            f"{self.token}/{self.mac}.cfg",
            f"action/registered?mac={self.mac}",
            f"action/idle2busy?mac={MacAddress(self.mac)}&call_id=7",
        ]
        return own + files + detours


PAIR = (
    Company("pierwszy", "805ec1aa0001", "48331000001", "T46S-66.86.0.15.rom"),
    Company("drugi", "805ec1aa0002", "48332000002", "T46S-66.86.0.20.rom"),
)


@pytest.fixture
async def pair(sample: Installation, running: Running) -> tuple[Company, ...]:
    """Two customers beside the sample company, each with a phone that works."""
    for each in PAIR:
        await put_firmware(sample, each.firmware)
        media = sample.media_dir(each.login)
        media.mkdir(parents=True)
        for name in ("dzwonek.wav", f"{each.login}.jpg"):
            (media / name).write_text(f"{each.login} {name}")
        company = COMPANY.format(
            login=each.login, firmware=each.firmware, line=each.line, mac=MacAddress(each.mac)
        )
        await apply_text(sample, company)
    return tuple([await _at_work(sample, running, each) for each in PAIR])


async def _at_work(sample: Installation, running: Running, company: Company) -> Company:
    """The customer's phone has its token, has brought its files and has reported an event."""
    await claim(sample, company.mac)
    assert (await ask(running, f"/{company.mac}.cfg")).status == 200
    token, service = await token_of(sample, company.mac), await service_of(sample, company.mac)
    found = replace(company, token=token, service=service)
    assert (await ask(running, f"/{token}/{company.mac}.cfg")).status == 200
    for ending, content in UPLOADS.items():
        path = f"/{service}/{company.mac}{ending}"
        assert (await ask(running, path, method="PUT", data=content.encode())).status == 200
    assert (await ask(running, f"/{service}/action/registered?mac={company.mac}")).status == 200
    return found


async def test_no_token_opens_a_name_of_another_customer(
    sample: Installation, running: Running, pair: tuple[Company, ...]
):
    before = [await remembered(sample, each) for each in pair]
    for mine, theirs in permutations(pair):
        for token, method in product((mine.service, mine.token), ("GET", "HEAD", "PUT", "POST")):
            data = b"<root_contact/>" if method in ("PUT", "POST") else None
            nothing = (await ask(running, f"/{token}/{T46S}-nothing.xml", method=method, data=data)).looks
            assert nothing[0] == (405 if data else 404)
            looks = {
                name: (await ask(running, f"/{token}/{name}", method=method, data=data)).looks
                for name in theirs.names
            }
            assert {name: found for name, found in looks.items() if found != nothing} == {}
    assert [await remembered(sample, each) for each in pair] == before


async def remembered(sample: Installation, company: Company) -> tuple[object, ...]:
    """What a phone has brought and reported."""
    mac = MacAddress(company.mac)
    return await list_uploads(sample, mac), (await show_device(sample, mac)).events


async def test_all_that_a_phone_may_fetch_tells_of_its_own_customer_alone(
    sample: Installation, running: Running, pair: tuple[Company, ...]
):
    for mine, theirs in permutations(pair):
        under_service = [
            *("phonebook.xml", "browser/menu.xml", "browser/directory.xml", "browser/phone.xml"),
            *("media/dzwonek.wav", f"media/{mine.login}.jpg", f"firmware/{mine.firmware}"),
            *(f"{mine.mac}{ending}" for ending in UPLOADS),
            # What is said behind a question mark chooses nothing.
            *(f"phonebook.xml?customer={theirs.login}", f"browser/phone.xml?mac={theirs.mac}"),
        ]
        paths = [f"/{mine.service}/{name}" for name in under_service]
        paths += [f"/{mine.token}/{name}" for name in (f"{mine.mac}.cfg", f"{mine.mac}.boot", MODEL_FILE)]
        bodies = {path: await body_of(running, path) for path in paths}
        assert all(mine.login in bodies[f"/{mine.service}/{name}"] for name in under_service[:6])
        assert mine.line in bodies[f"/{mine.token}/{mine.mac}.cfg"]
        seen = {path: [word for word in theirs.words if word in body] for path, body in bodies.items()}
        assert {path: words for path, words in seen.items() if words} == {}


async def body_of(running: Running, path: str) -> str:
    reply = await ask(running, path)
    assert reply.status == 200, path
    return reply.body.decode("utf-8", "replace")
