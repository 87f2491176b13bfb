"""The values of a patch: what each kind of field takes, and what is said of one that it doesn't."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from provisioner.centrex import scalars, text
from provisioner.centrex.devices import FirmwareTarget
from provisioner.centrex.errors import BadValue
from provisioner.centrex.mac import MacAddress

BAD_VALUE = "bad_value"
"The type of the errors whose message is already ours."

CODECS = ("pcma", "pcmu", "g722", "g729", "opus", "ilbc", "g723", "g726")
CALLER_ID_SOURCES = ("from", "pai", "pai_from", "rpid_pai_from", "pai_rpid_from", "rpid_from")
LONGEST_LIST = 20_000

Item = TypeVar("Item")


def checked(rule: Callable[..., object], **limits: Any) -> BeforeValidator:
    """One of our rules as a validator: it learns its field's name, and its refusal joins the others."""

    def check(value: object, info: ValidationInfo) -> object:
        try:
            return rule(value, (info.field_name or "value").replace("_", " "), **limits)
        except BadValue as error:
            raise PydanticCustomError(BAD_VALUE, "{reason}", {"reason": str(error)}) from error

    return BeforeValidator(check)


def integer(low: int, high: int) -> BeforeValidator:
    """A whole number of this range."""
    return checked(scalars.integer, low=low, high=high)


def _list(value: object, field: str, *, longest: int = LONGEST_LIST) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise BadValue(f"{field} must be a list (each item begins with -; [] is an empty one)")
    if len(value) > longest:
        raise BadValue(f"{field} has {len(value)} items: at most {longest} fit")
    return value


def _mapping(value: object, field: str) -> object:
    if not isinstance(value, dict | BaseModel):
        raise BadValue(f"{field} must be a mapping (key: value), not {text.kind_of(value)}")
    return value


def _item(value: object, field: str) -> object:
    if not isinstance(value, dict | BaseModel):
        raise BadValue(f"an item of {field} must be a mapping (key: value), not {text.kind_of(value)}")
    return value


def _mac(value: object, field: str) -> MacAddress:
    return value if isinstance(value, MacAddress) else MacAddress.parse(text.plain_text(value, field))


def _or_empty(rule: Callable[[object, str], str]) -> Callable[[object, str], str]:
    """The rule, or an empty text, which turns an inherited value off."""
    return lambda value, field: "" if value == "" else rule(value, field)


def _codecs(value: object, field: str) -> object:
    codecs = _list(value, field)
    if not codecs:
        raise BadValue(f"{field} is empty: name one at least, or write null to inherit them")
    if len(set(map(str, codecs))) != len(codecs):
        raise BadValue(f"{field} names one codec twice: name it once")
    return codecs


def _firmware(value: object, field: str) -> object:
    """A file name, or a mapping of them by model, which is always said whole."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, dict):
        return _or_empty(text.file_name)(value, field)
    if not value:
        raise BadValue(f"{field} is empty: name a model and its file, or write null to inherit them")
    return tuple(
        FirmwareTarget(
            text.plain_text(model, f"a model of {field}"),
            _or_empty(text.file_name)(file, f"{field} of {text.shown(str(model))}"),
        )
        for model, file in sorted(value.items(), key=lambda item: str(item[0]))
    )


Name = Annotated[str, checked(text.plain_text)]
NameOrEmpty = Annotated[str, checked(text.plain_text, may_be_empty=True)]
Login = Annotated[str, checked(text.login)]
Extension = Annotated[str, checked(text.extension)]
LineNumber = Annotated[str, checked(text.line_number)]
Dialable = Annotated[str, checked(text.dialable)]
DialableOrEmpty = Annotated[str, checked(_or_empty(text.dialable))]
Code = Annotated[str, checked(text.code)]
Password = Annotated[str, checked(text.password)]
Flag = Annotated[bool, checked(scalars.flag)]
Mac = Annotated[MacAddress, checked(_mac)]
Language = Annotated[str, checked(scalars.language)]
Zone = Annotated[str, checked(scalars.time_zone)]
Amount = Annotated[Decimal, checked(scalars.amount)]
Currency = Annotated[str, checked(scalars.currency)]
Host = Annotated[str, checked(scalars.host)]
HostPortOrEmpty = Annotated[str, checked(_or_empty(scalars.host_port))]
NtpServers = Annotated[tuple[Host, ...], checked(_list, longest=2)]
FileName = Annotated[str, checked(text.file_name)]
FileNameOrEmpty = Annotated[str, checked(_or_empty(text.file_name))]
ShortText = Annotated[str, checked(text.plain_text, longest=512, may_be_empty=True)]
Window = Annotated[str, checked(scalars.window)]
HourMinute = Annotated[str, checked(scalars.hour_minute)]
Transport = Annotated[str, checked(scalars.one_of, words=("udp", "tcp", "tls", "dns_srv"))]
Srtp = Annotated[str, checked(scalars.one_of, words=("off", "optional", "compulsory"))]
Codec = Annotated[str, checked(scalars.one_of, words=CODECS)]
Codecs = Annotated[tuple[Codec, ...], checked(_codecs)]
Dtmf = Annotated[str, checked(scalars.one_of, words=("inband", "rfc2833", "info", "auto"))]
CallerIdSource = Annotated[str, checked(scalars.one_of, words=CALLER_ID_SOURCES)]
Firmware = Annotated[str | tuple[FirmwareTarget, ...], checked(_firmware)]
Settings = Annotated[
    dict[Annotated[str, checked(text.setting_name)], Annotated[str, checked(text.setting_value)] | None],
    checked(_mapping),
]
"Parameters by name; null takes one back."

Listed = Annotated[tuple[Item, ...], checked(_list)]
Mapped = Annotated[Item, checked(_mapping)]
Items = Annotated[tuple[Annotated[Item, checked(_item)], ...], checked(_list)]
