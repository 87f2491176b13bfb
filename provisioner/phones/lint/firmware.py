"""What the phone is, what it runs, and the files that it is to fetch beside its configuration."""

from __future__ import annotations

from collections.abc import Iterator

from phone_templates.yealink.models import known_model
from phone_templates.yealink.user_agent import parse_user_agent
from provisioner.centrex.problems import Kind, Problem, Subject
from provisioner.phones.firmware import Standing, customer_problems, standing, target_of, vendor_problems
from provisioner.phones.lint.case import Company, FirmwareState, PhoneCase, Wide, firmware_version
from provisioner.phones.lint.finding import Remark, Rule, Severity

_OFTEN = 3
"Boots after which a phone that wanted an update would have it."


def firmware_prefix(company: Company) -> Iterator[Remark]:
    """Targets of the customer, its sites and phones that can't be, such as another model's file."""
    return map(_remark, customer_problems(None, company.customer))


def firmware_prefix_of_models(wide: Wide) -> Iterator[Remark]:
    """The same of the vendor and its models."""
    return map(_remark, vendor_problems(None, wide.vendor))


def firmware_missing(phone: PhoneCase) -> Iterator[Remark]:
    """A firmware that the phone will ask for in vain."""
    target = target_of(phone.model, phone.levels)
    if target is None:
        return
    match phone.elsewhere.firmware.get(target.file, FirmwareState.NOT_ADDED):
        case FirmwareState.NOT_ADDED:
            yield Remark(
                f"there is no firmware file {target.file}", f"add it: centralka firmware add {target.file}"
            )
        case FirmwareState.DAMAGED:
            yield Remark(
                f"the firmware file {target.file} is not there, or not as it was added",
                "`centralka firmware check` says what is wrong; `firmware add` the vendor's file again",
            )


def firmware_downgrade(phone: PhoneCase) -> Iterator[Remark]:
    """A firmware older than what the phone runs: settings may be lost, and some phones refuse it."""
    target = target_of(phone.model, phone.levels)
    if target is None:
        return
    runs = f"{target.file} is older than {phone.device.firmware_seen}, which the phone runs"
    match standing(phone.model, target, phone.device.firmware_seen):
        case Standing.NEWER:
            yield Remark(
                f"{runs}: it is not offered to it",
                "name a newer file, or say firmware_downgrade: true if the phone shall go back",
            )
        case Standing.GOES_BACK:
            yield Remark(
                f"{runs}, and firmware_downgrade tells it to go back",
                "look whether its settings took effect, and take firmware_downgrade out when it is there",
            )


def firmware_stuck(phone: PhoneCase) -> Iterator[Remark]:
    """A phone that was told of its firmware again and again, and still runs another."""
    target = target_of(phone.model, phone.levels)
    times = phone.elsewhere.times_fetched.get(phone.device.mac, 0)
    if target is None or times < _OFTEN:
        return
    if standing(phone.model, target, phone.device.firmware_seen) in (Standing.WAITING, Standing.GOES_BACK):
        yield Remark(
            f"it has fetched its file {times} times since that names {target.file}, and still runs"
            f" {phone.device.firmware_seen}",
            "look at the phone: it may refuse the file, or fail to download it (`devices show`)",
        )


def media_missing(phone: PhoneCase) -> Iterator[Remark]:
    """A ring tone or logo that the phone will ask for in vain."""
    wanted = [("ring tone", name) for name in phone.options.ringtones or ()]
    if phone.options.logo:
        wanted.append(("logo", phone.options.logo))
    for what, name in wanted:
        if name not in phone.elsewhere.media_files:
            yield Remark(
                f"there is no {what} {name}",
                f"put it into media/{phone.customer.login} of the data directory",
            )


def logo_unshown(phone: PhoneCase) -> Iterator[Remark]:
    """A logo for a phone of whose display nothing is known."""
    if phone.options.logo and not any(word in phone.model.screen for word in ("colour", "touch", "mono")):
        yield Remark(
            f"nothing is known of how a {phone.model.name} shows a logo, so it is not sent",
            "nothing is to be done",
        )


def firmware_unknown(phone: PhoneCase) -> Iterator[Remark]:
    """A version that the model is not known to have had: its files are written for the nearest."""
    seen = firmware_version(phone.device.firmware_seen or "")
    if not seen:
        return
    model = phone.model
    if seen[0] not in model.firmware_prefixes:
        yield Remark(
            f"it says that it runs {phone.device.firmware_seen}, which is no version of a {model.name}",
            "check the model on the phone's label",
        )
    elif not model.oldest <= seen[1] <= model.newest:
        yield Remark(
            f"it runs {phone.device.firmware_seen}, and of a {model.name} V{model.oldest} to V{model.newest}"
            f" are known: its files are written for {phone.generation}",
            "check that all its settings took effect"
            if seen[1] > model.newest
            else "give it a newer firmware by its own web page",
        )


def other_model(phone: PhoneCase) -> Iterator[Remark]:
    """The phone calls itself another model than the one that is listed."""
    agent = parse_user_agent(phone.elsewhere.agents.get(phone.device.mac, ""))
    said = known_model(agent.model) if agent and agent.model else None
    # Some models share one file, and a base station speaks for its handset.
    if said is not None and not set(said.cfg_numbers) & set(phone.model.cfg_numbers):
        yield Remark(
            f"it is listed as {phone.device.model} and calls itself {said.name}",
            f"list it as {said.name}, or correct the MAC address",
        )


def model_doubts(company: Company) -> Iterator[Remark]:
    """What the sources leave open about a model that is in use."""
    for name, doubts in sorted({(phone.model.name, phone.model.doubts) for phone in company.phones}):
        for doubt in doubts:
            yield Remark(
                f"the sources leave open: {doubt}", "look at the phone once", Subject(Kind.MODEL, name)
            )


def _remark(problem: Problem) -> Remark:
    message = problem.message.removeprefix(f"{problem.subject}: ")
    return Remark(message, "name the model's own file", problem.subject, problem.key)


PHONE_RULES = (
    Rule("firmware-missing", Severity.ERROR, firmware_missing),
    Rule("media-missing", Severity.ERROR, media_missing),
    Rule("firmware-downgrade", Severity.WARNING, firmware_downgrade),
    Rule("firmware-stuck", Severity.WARNING, firmware_stuck),
    Rule("firmware-unknown", Severity.WARNING, firmware_unknown),
    Rule("other-model", Severity.WARNING, other_model),
    Rule("logo-unshown", Severity.HINT, logo_unshown),
)
COMPANY_RULES = (
    Rule("firmware-prefix", Severity.ERROR, firmware_prefix),
    Rule("model-doubts", Severity.HINT, model_doubts),
)
WIDE_RULES = (Rule("firmware-prefix", Severity.ERROR, firmware_prefix_of_models),)
