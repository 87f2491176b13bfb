"""A phone's boot: what it asks for, in which order, and when it applies anything."""

from __future__ import annotations

import pytest

from phone_templates.yealink.boot import Apply, BootMachine, Done, Effect, Fetch, Login, Outcome, Update
from phone_templates.yealink.boot_file import BadBootFile, parse_boot_file
from phone_templates.yealink.models import UnwritableModel, find_model

MAC = "0015654aa937"
SERVER = "http://dhcp.example/"
TOKEN = "http://dhcp.example/7f3ab2/"
VERSION = "#!version:1.0.0.1\n"


class Files(dict[str, str]):
    """A server: files by URL, and what was asked for, in order."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(files)
        self.asked: list[str] = []
        self.status: dict[str, int | None] = {}
        "What is answered instead of 200 or 404; None is no answer."

    def boot(self, phone: BootMachine) -> list[Effect]:
        """Let the phone boot; everything it did but the fetching."""
        self.asked = []
        did: list[Effect] = []
        effects = phone.start()
        while True:
            did += [effect for effect in effects if not isinstance(effect, Fetch)]
            if not effects or not isinstance(effects[-1], Fetch):
                return did
            url = effects[-1].url
            self.asked.append(url)
            assert len(self.asked) < 100
            if url in self.status:
                effects = phone.answer(url, self.status[url])
            elif url in self:
                effects = phone.answer(url, 200, self[url].encode())
            else:
                effects = phone.answer(url, 404, b"nothing here")


def cfg(*settings: str) -> str:
    return VERSION + "".join(f"{setting}\n" for setting in settings)


def phone(model: str, firmware: str | None = None, **urls: str) -> BootMachine:
    return BootMachine(MAC, find_model(model), firmware, name=model, **(urls or {"dhcp_url": SERVER}))


def names(urls: list[str]) -> list[str]:
    return [url.rpartition("/")[2] for url in urls]


def test_v70_asks_for_the_model_file_then_its_own_and_applies_both_at_once():
    files = Files(
        {
            SERVER + "y000000000023.cfg": cfg("lang.gui = English", "voice.tone.country = Poland"),
            SERVER + f"{MAC}.cfg": cfg("lang.gui = Polish"),
        }
    )
    vp530 = phone("VP530P")
    did = files.boot(vp530)
    assert names(files.asked) == ["y000000000023.cfg", f"{MAC}.cfg"]
    assert [type(effect) for effect in did] == [Apply, Done]
    assert vp530.memory.settings == {"lang.gui": "Polish", "voice.tone.country": "Poland"}


@pytest.mark.parametrize(
    ("model", "firmware"), [("VP530P", None), ("T28P", "2.73.0.50"), ("T23G", "44.80.0.5")]
)
def test_until_v80_a_missing_file_is_asked_for_three_times(model, firmware):
    old = phone(model, firmware)
    files = Files({SERVER + old.model.model_file: cfg("lang.wui = English")})
    did = files.boot(old)
    assert names(files.asked) == [old.model.model_file] + [f"{MAC}.cfg"] * 3
    assert did[-1] == Done(Outcome.APPLIED, SERVER)


def test_until_v80_no_boot_file_is_asked_for():
    old = phone("T23G", "44.80.0.5")
    files = Files({})
    files.boot(old)
    assert not [url for url in files.asked if url.endswith(".boot")]


def test_v81_asks_for_boot_files_first_and_falls_back_to_the_two_classic_files():
    files = Files({SERVER + f"{MAC}.cfg": cfg("lang.gui = Polish")})
    did = files.boot(phone("T46S"))
    assert names(files.asked) == [f"{MAC}.boot", "y000000000000.boot", "y000000000066.cfg", f"{MAC}.cfg"]
    assert did[-1] == Done(Outcome.APPLIED, SERVER)


def test_a_boot_file_hides_the_classic_files():
    files = Files(
        {
            SERVER + f"{MAC}.boot": VERSION + 'include:config "office.cfg"\ninclude:config <sub/own.cfg>\n',
            SERVER + "office.cfg": cfg("lang.gui = English"),
            SERVER + "sub/own.cfg": cfg("lang.gui = Polish"),
            SERVER + f"{MAC}.cfg": cfg("lang.gui = German"),
        }
    )
    t46s = phone("T46S")
    files.boot(t46s)
    assert files.asked == [SERVER + f"{MAC}.boot", SERVER + "office.cfg", SERVER + "sub/own.cfg"]
    assert t46s.memory.settings["lang.gui"] == "Polish"


def test_the_common_boot_file_counts_where_the_phone_has_none():
    files = Files(
        {
            SERVER + "y000000000000.boot": VERSION + "include:config <http://other.example/all.cfg>\n",
            "http://other.example/all.cfg": cfg("lang.gui = Polish"),
        }
    )
    files.boot(phone("T46S"))
    assert files.asked[-1] == "http://other.example/all.cfg"


@pytest.mark.parametrize(("model", "asked"), [("T46S", "b.cfg"), ("T23G", "b.cfg"), ("T21P_E2", "e2.cfg")])
def test_an_include_for_other_models_is_skipped(model, asked):
    boot = VERSION + '[T46S, T23G]include:config "b.cfg"\n[T21P_E2]include:config "e2.cfg"\n'
    files = Files({SERVER + f"{MAC}.boot": boot, SERVER + "b.cfg": cfg(), SERVER + "e2.cfg": cfg()})
    files.boot(phone(model))
    assert names(files.asked) == [f"{MAC}.boot", asked]


def test_overwrite_mode_1_returns_to_the_default_what_is_gone_but_not_static_parameters():
    url = SERVER + f"{MAC}.boot"
    files = Files({url: VERSION + 'overwrite_mode = 1\ninclude:config "a.cfg"\n'})
    files[SERVER + "a.cfg"] = cfg(
        "account.1.label = 101", "lang.gui = Polish", "static.syslog.server = 192.0.2.1", "voice.vad = 1"
    )
    t46s = phone("T46S")
    files.boot(t46s)
    files[SERVER + "a.cfg"] = cfg("lang.gui = Polish", "voice.vad =")
    files.boot(t46s)
    assert t46s.memory.settings == {"lang.gui": "Polish", "static.syslog.server": "192.0.2.1"}


def test_without_overwrite_mode_what_is_gone_or_blank_keeps_its_value():
    files = Files({SERVER + f"{MAC}.cfg": cfg("account.1.label = 101", "lang.gui = Polish")})
    t46s = phone("T46S")
    files.boot(t46s)
    files[SERVER + f"{MAC}.cfg"] = cfg("lang.gui =")
    files.boot(t46s)
    assert t46s.memory.settings == {"account.1.label": "101", "lang.gui": "Polish"}


def test_null_clears_a_setting():
    files = Files({SERVER + f"{MAC}.cfg": cfg("account.1.label = 101")})
    t46s = phone("T46S")
    files.boot(t46s)
    files[SERVER + f"{MAC}.cfg"] = cfg("account.1.label = %NULL%")
    files.boot(t46s)
    assert t46s.memory.settings == {}


def test_the_same_bytes_are_not_applied_twice():
    files = Files({SERVER + f"{MAC}.cfg": cfg("lang.gui = Polish")})
    t46s = phone("T46S")
    files.boot(t46s)
    assert files.boot(t46s) == [Done(Outcome.UNCHANGED, SERVER)]
    files[SERVER + f"{MAC}.cfg"] += "# today\n"
    assert files.boot(t46s)[-1] == Done(Outcome.APPLIED, SERVER)


@pytest.mark.parametrize("status", [401, 403, 500, 503, None])
@pytest.mark.parametrize("model", ["VP530P", "T46S"])
def test_nothing_is_applied_when_the_server_fails_half_way(model, status):
    new = phone(model)
    files = Files({SERVER + new.model.model_file: cfg("lang.gui = Polish")})
    files.status[SERVER + f"{MAC}.cfg"] = status
    did = files.boot(new)
    assert [effect.outcome for effect in did if isinstance(effect, Done)] == [Outcome.FAILED]
    assert len(did) == 1
    assert new.memory.settings == {}
    # What failed is not remembered: the same bytes are applied next time.
    files.status.clear()
    assert files.boot(new)[-1] == Done(Outcome.APPLIED, SERVER)


@pytest.mark.parametrize(
    ("model", "firmware", "waits"),
    [("VP530P", None, [0]), ("T28P", "2.73.0.50", [0]), ("T46S", None, [0, 5, 5])],
)
def test_a_server_that_can_not_just_now_is_asked_again_by_firmware_that_knows_of_it(model, firmware, waits):
    new = phone(model, firmware, stored_url=SERVER)
    first = new.start()[-1]
    asked, effects = [first], new.answer(first.url, 503)
    while isinstance(effects[-1], Fetch) and effects[-1].url == first.url:
        asked.append(effects[-1])
        effects = new.answer(first.url, 503)
    assert [each.after_s for each in asked] == waits
    assert effects == [Done(Outcome.FAILED, SERVER, f"{first.url}: status 503")]


def test_a_server_that_can_again_is_asked_for_the_rest_at_once():
    t46s = phone("T46S", stored_url=SERVER)
    t46s.memory.settings["static.auto_provision.retry_delay_after_file_transfer_failed"] = "60"
    first = t46s.start()[-1].url
    (again,) = t46s.answer(first, 503)
    assert (again.url, again.after_s) == (first, 60)
    (next_one,) = t46s.answer(first, 404)
    assert next_one.url != first
    assert next_one.after_s == 0


@pytest.mark.parametrize(
    "body",
    [
        "lang.gui = Polish\n",
        "<html>Not found</html>",
        "\ufeff" + cfg("lang.gui = Polish"),
        VERSION + "no setting\n",
    ],
)
def test_a_file_that_a_phone_refuses_changes_nothing(body):
    files = Files({SERVER + f"{MAC}.cfg": body})
    t46s = phone("T46S")
    assert files.boot(t46s)[-1].outcome is Outcome.FAILED
    assert t46s.memory.settings == {}


def test_bytes_that_are_no_utf_8_change_nothing():
    t46s = phone("T46S", stored_url=SERVER)
    effects = t46s.start()
    for status, body in [
        (404, b""),
        (404, b""),
        (404, b""),
        (200, VERSION.encode() + b"account.1.label = \xb3\n"),
    ]:
        effects = t46s.answer(effects[-1].url, status, body)
    assert effects[-1].outcome is Outcome.FAILED


def test_with_no_server_at_all_the_boot_ends_at_once():
    assert BootMachine(MAC, find_model("T46S")).start() == [Done(Outcome.NOTHING_FOUND)]


FIRST_CONTACT = {
    "VP530P": ["auto_provision.dhcp_enable = 0", "auto_provision.pnp_enable = 0"],
    "T46G": ["auto_provision.dhcp_option.enable = 0", "auto_provision.pnp_enable = 0"],
    "T46S": ["static.auto_provision.dhcp_option.enable = 0", "static.auto_provision.pnp_enable = 0"],
}


@pytest.mark.parametrize(
    ("model", "firmware", "prefix"),
    [("VP530P", None, ""), ("T46G", "28.80.0.95", ""), ("T46S", None, "static.")],
)
def test_a_phone_that_is_told_a_url_and_to_stop_discovering_boots_from_it_next_time(model, firmware, prefix):
    new = phone(model, firmware)
    own = cfg(
        f"{prefix}auto_provision.server.url = {TOKEN}",
        f"{prefix}zero_touch.enable = 0",
        *FIRST_CONTACT[model],
    )
    files = Files({SERVER + f"{MAC}.cfg": own, TOKEN + f"{MAC}.cfg": own + "# the same, and more\n"})
    assert new.discovers
    files.boot(new)
    assert new.stored_url == TOKEN
    assert not new.discovers
    assert files.boot(new)[-1] == Done(Outcome.APPLIED, TOKEN)
    assert all(url.startswith(TOKEN) for url in files.asked)


def test_discovery_outranks_the_stored_url_until_it_is_turned_off():
    own = cfg(f"static.auto_provision.server.url = {TOKEN}")
    files = Files({SERVER + f"{MAC}.cfg": own, TOKEN + f"{MAC}.cfg": own})
    t46s = phone("T46S")
    files.boot(t46s)
    files.boot(t46s)
    assert all(url.startswith(SERVER) and not url.startswith(TOKEN) for url in files.asked)


def test_the_stored_url_is_tried_when_discovery_finds_nothing_for_the_phone():
    files = Files({TOKEN + f"{MAC}.cfg": cfg("lang.gui = Polish")})
    t46s = phone("T46S", dhcp_url=SERVER, stored_url=TOKEN)
    assert files.boot(t46s)[-1] == Done(Outcome.APPLIED, TOKEN)


def test_turning_discovery_off_in_the_words_of_another_generation_does_nothing():
    files = Files({SERVER + f"{MAC}.cfg": cfg(*FIRST_CONTACT["VP530P"], *FIRST_CONTACT["T46G"])})
    t46s = phone("T46S")
    did = files.boot(t46s)
    assert t46s.discovers
    assert set(did[0].ignored) >= {"auto_provision.dhcp_enable", "auto_provision.pnp_enable"}


def test_names_of_another_generation_are_ignored_and_named():
    files = Files(
        {SERVER + f"{MAC}.cfg": cfg("account.1.sip_server.1.address = pbx", "account.1.label = 101")}
    )
    vp530 = phone("VP530P")
    did = files.boot(vp530)
    assert did[0].ignored == ("account.1.sip_server.1.address",)
    assert vp530.memory.settings == {"account.1.label": "101"}


def test_a_power_cut_before_the_last_file_loses_everything_and_the_next_boot_asks_again():
    files = Files({SERVER + "y000000000023.cfg": cfg("lang.gui = Polish"), SERVER + f"{MAC}.cfg": cfg()})
    vp530 = phone("VP530P")
    effects = vp530.start()
    vp530.answer(effects[-1].url, 200, files[SERVER + "y000000000023.cfg"].encode())
    assert vp530.memory.settings == {}
    assert files.boot(vp530)[-1] == Done(Outcome.APPLIED, SERVER)
    assert names(files.asked) == ["y000000000023.cfg", f"{MAC}.cfg"]


def test_a_factory_reset_forgets_the_token_and_discovers_again():
    own = cfg(f"auto_provision.server.url = {TOKEN}", *FIRST_CONTACT["VP530P"])
    files = Files({SERVER + f"{MAC}.cfg": own, TOKEN + f"{MAC}.cfg": own})
    vp530 = phone("VP530P")
    files.boot(vp530)
    vp530.factory_reset()
    assert vp530.discovers
    assert vp530.stored_url is None
    assert files.boot(vp530)[-1] == Done(Outcome.APPLIED, SERVER)


def test_settings_come_first_and_new_firmware_after_them_once():
    files = Files({SERVER + f"{MAC}.cfg": cfg("firmware.url = http://f.example/23.rom")})
    vp530 = phone("VP530P")
    did = files.boot(vp530)
    assert [type(effect) for effect in did] == [Apply, Update, Done]
    assert did[1] == Update("http://f.example/23.rom")
    files[SERVER + f"{MAC}.cfg"] += "lang.gui = Polish\n"
    assert [type(effect) for effect in files.boot(vp530)] == [Apply, Done]


def test_what_the_settings_name_is_fetched_before_they_are_applied_and_may_be_missing():
    files = Files(
        {SERVER + f"{MAC}.cfg": cfg("ringtone.url = http://m.example/ring.wav", "lcd_logo.url = %NULL%")}
    )
    vp530 = phone("VP530P")
    did = files.boot(vp530)
    assert files.asked[-1] == "http://m.example/ring.wav"
    assert did[-1] == Done(Outcome.APPLIED, SERVER)


def test_what_the_user_changed_on_the_phone_wins_where_it_is_protected():
    files = Files(
        {
            SERVER + f"{MAC}.cfg": cfg(
                "static.auto_provision.custom.protect = 1",
                "static.auto_provision.custom.sync = 1",
                f"static.auto_provision.custom.sync.path = {TOKEN}",
                "static.auto_provision.local_contact.backup.enable = 1",
                f"static.auto_provision.local_contact.backup.path = {TOKEN}",
                "lang.gui = English",
            ),
            TOKEN + f"{MAC}-local.cfg": cfg("lang.gui = Polish"),
        }
    )
    t46s = phone("T46S")
    files.boot(t46s)
    assert files.asked[-2:] == [TOKEN + f"{MAC}-local.cfg", TOKEN + f"{MAC}-contact.xml"]
    assert t46s.memory.settings["lang.gui"] == "Polish"


def test_each_user_of_the_phones_pages_has_a_password_of_their_own():
    files = Files(
        {SERVER + f"{MAC}.cfg": cfg("security.user_password = admin:a:b", "security.user_password = user:c")}
    )
    vp530 = phone("VP530P")
    files.boot(vp530)
    assert vp530.memory.passwords == {"admin": "a:b", "user": "c"}


def test_a_phone_asks_again_as_often_as_it_was_told():
    files = Files(
        {
            SERVER + "y000000000023.cfg": cfg(
                "auto_provision.repeat.enable = 1", "auto_provision.repeat.minutes = 5"
            )
        }
    )
    vp530 = phone("VP530P")
    assert vp530.asks_again_after_minutes is None
    files.boot(vp530)
    assert vp530.asks_again_after_minutes == 5


def test_a_phone_calls_itself_as_its_model_does_and_may_be_told_to_hide_its_mac():
    assert phone("VP530P", "23.70.0.40").user_agent == "VP530P 23.70.0.40 00:15:65:4a:a9:37"
    assert phone("T56A", "58.80.0.25").user_agent == f"Yealink SIP-T56A  58.80.0.25 {MAC}"
    files = Files({SERVER + f"{MAC}.cfg": cfg("static.auto_provision.user_agent_mac.enable = 0")})
    t46s = phone("T46S", "66.86.0.15")
    files.boot(t46s)
    assert t46s.user_agent == "Yealink SIP-T46S 66.86.0.15"


@pytest.mark.parametrize(("model", "prefix"), [("VP530P", ""), ("T46S", "static.")])
def test_a_phone_says_its_login_to_its_provisioning_server_alone(model, prefix):
    own = cfg(
        f"{prefix}auto_provision.server.url = {SERVER}auth/",
        f"{prefix}auto_provision.server.username = {MAC}",
        f"{prefix}auto_provision.server.password = 7f3ab2",
        "ringtone.url = http://media.example/ring.wav",
    )
    new = phone(model)
    assert new.start()[-1].login is None
    Files({SERVER + f"{MAC}.cfg": own}).boot(new)
    effects = new.start()
    asked = []
    while isinstance(effects[-1], Fetch):
        asked.append(effects[-1])
        effects = new.answer(effects[-1].url, 200 if asked[-1].url.endswith("cfg") else 404, own.encode())
    logins = {fetch.url.startswith(SERVER): fetch.login for fetch in asked}
    assert logins[True] == Login(MAC, "7f3ab2")
    assert "7f3ab2" not in repr(logins)
    assert logins.get(False) is None


def test_an_answer_that_was_not_asked_for_is_refused():
    t46s = phone("T46S")
    with pytest.raises(ValueError, match="did not ask"):
        t46s.answer(SERVER, 200)
    t46s.start()
    with pytest.raises(ValueError, match="did not ask"):
        t46s.answer(SERVER + "other.cfg", 200)


def test_a_phone_whose_files_cannot_be_written_does_not_boot_here():
    with pytest.raises(UnwritableModel):
        phone("T18P")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('include:config "a.cfg"\n', 1),
        ("#!version:1.0.0.2\n", 1),
        (VERSION + "include:config a.cfg\n", 2),
        (VERSION + '# fine\ninclude "a.cfg"\n', 3),
        (VERSION + "overwrite_mode = yes\n", 2),
        (VERSION + 'include:config "a.cfg"\n' * 31, 33),
    ],
)
def test_a_boot_file_that_a_phone_cannot_read_is_refused_with_its_line(text, line):
    with pytest.raises(BadBootFile, match=f"^line {line}: ") as refused:
        parse_boot_file(text, {"T46S"})
    assert refused.value.line == line


def test_a_boot_file_may_have_windows_line_ends_and_comments():
    text = '#!version:1.0.0.1\r\n# ours\r\n\r\noverwrite_mode=1\r\n[t46s]include:config "a b.cfg"\r\n'
    assert parse_boot_file(text, {"T46S"}).includes == ("a b.cfg",)
    assert parse_boot_file(text, {"T46S"}).overwrite
