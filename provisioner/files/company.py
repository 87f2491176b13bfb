"""The company file: YAML that says what customers and phones should be."""

from __future__ import annotations

import difflib
import operator
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from provisioner.centrex.customer import FeatureCodes
from provisioner.centrex.errors import BadValue
from provisioner.centrex.fields import BAD_VALUE, Items
from provisioner.centrex.mac import MacAddress
from provisioner.centrex.patch import CustomerPatch, Patch, VendorPatch
from provisioner.centrex.problems import Contradictions, Kind, Problem, Subject
from provisioner.centrex.text import shown
from provisioner.files.errors import FileError, FileErrors
from provisioner.files.yaml_tree import Node, Path, read_tree, spelled

_NAMED_BY = {
    "customers": "login",
    "vendors": "vendor",
    "models": "model",
    "sites": "name",
    "lines": "number",
    "extensions": "number",
    "hunt_groups": "number",
    "entries": "number",
    "devices": "mac",
    "accounts": "account",
}
"Lists whose items have a name of their own, and the key that holds it."

_LIST_OF: dict[Kind, tuple[str, ...]] = {
    Kind.SITE: ("sites",),
    Kind.LINE: ("lines",),
    Kind.EXTENSION: ("extensions",),
    Kind.HUNT_GROUP: ("hunt_groups",),
    Kind.SHORT_NUMBER: ("centrex", "speed_dial", "entries"),
    Kind.DEVICE: ("devices",),
}

_CODES: dict[str, tuple[str, ...]] = {
    "intercom": ("centrex", "intercom"),
    "pickup": ("centrex", "pickup"),
    "park": ("centrex", "park"),
    "retrieve": ("centrex", "park", "retrieve_prefix"),
    **{name: ("centrex", "codes", name) for name in FeatureCodes.__slots__},
}


class _File(Patch):
    what = "a company file"
    customers: Items[CustomerPatch] = ()
    vendors: Items[VendorPatch] = ()


@dataclass(frozen=True, slots=True)
class CompanyFile:
    """What a company file says."""

    name: str
    "How messages call the file."
    customers: tuple[CustomerPatch, ...]
    vendors: tuple[VendorPatch, ...]
    _tree: Node = field(repr=False, compare=False)

    def located(self, login: str, found: Contradictions) -> FileErrors:
        """What the merged customer contradicts itself in, at the places of this file that are involved.

        A thing that the file does not name stands at its customer, a customer at the file's beginning.
        """
        customer = next((i for i, customer in enumerate(self.customers) if customer.login == login), None)
        if customer is None:
            return FileErrors(self.name, (self._error((), problem) for problem in found.problems))
        places = _places(self.customers[customer])
        return FileErrors(
            self.name,
            (
                self._error(("customers", customer, *places.get(problem.subject, ())), problem)
                for problem in found.problems
            ),
        )

    def located_vendor(self, vendor: str, found: Contradictions) -> FileErrors:
        """The same for what is said of a vendor and its models."""
        index = next(i for i, level in enumerate(self.vendors) if level.vendor == vendor)
        models = {level.model: i for i, level in enumerate(self.vendors[index].models)}
        errors = []
        for problem in found.problems:
            model = models.get(problem.subject.name) if problem.subject.kind is Kind.MODEL else None
            path: Path = ("vendors", index) if model is None else ("vendors", index, "models", model)
            errors.append(self._error(path, problem))
        return FileErrors(self.name, errors)

    def _error(self, path: Path, problem: Problem) -> FileError:
        path = self._tree.there((*path, *problem.key))
        return FileError(self._tree.locate(path), spelled(path), problem.message)


def _places(customer: CustomerPatch) -> dict[Subject, Path]:
    """Where each thing of a customer stands, from the customer on; a code as far as the file says it."""
    places = {Subject(Kind.CODE, name): _as_far_as_given(customer, way) for name, way in _CODES.items()}
    for kind, way in _LIST_OF.items():
        for index, item in enumerate(operator.attrgetter(".".join(way))(customer)):
            named = str(getattr(item, _NAMED_BY[way[-1]]))
            places.setdefault(Subject(kind, named), (*way, index))
    return places


def _as_far_as_given(customer: Patch, way: tuple[str, ...]) -> Path:
    given: list[str] = []
    part: object = customer
    for name in way:
        if not isinstance(part, Patch) or name not in part.model_fields_set:
            break
        given.append(name)
        part = getattr(part, name)
    return tuple(given)


def read_company_file(data: bytes, name: str = "company file") -> CompanyFile:
    """The patches of a file. Raises `FileErrors` with everything that is wrong in it."""
    tree = read_tree(data, name)
    root = tree.root
    if not isinstance(root.value, dict) or not root.value:
        message = "a company file is a mapping that begins with customers: or vendors:"
        raise FileErrors(name, [*tree.errors, FileError(root.position, "", message)])
    errors = [*tree.errors, *_named_twice(root, ())]
    try:
        read = _File.model_validate(root.plain())
    except ValidationError as error:
        # What was no text in YAML was read as null: its place has its error already.
        reported = {error.position for error in tree.errors}
        details = error.errors(include_url=False, include_input=False)
        described = [_described(root, detail) for detail in details]
        errors += [error for error in described if error.position not in reported]
        raise FileErrors(name, errors) from error
    if errors:
        raise FileErrors(name, errors)
    return CompanyFile(name, read.customers, read.vendors, root)


def _described(root: Node, detail: ErrorDetails) -> FileError:
    """A validation error in our words, at its place."""
    path: Path = detail["loc"]
    if path and path[-1] == "[key]":
        return FileError(root.locate_key(path[:-1]), spelled(path[:-1]), detail["msg"])
    match detail["type"]:
        case "extra_forbidden":
            return FileError(root.locate_key(path), spelled(path), _unknown(path))
        case "missing":
            owner = path[:-1]
            message = f"{_model_at(owner).what} needs the key {path[-1]}: add it"
            return FileError(root.locate(owner), spelled(owner), message)
        case kind:
            message = detail["msg"] if kind == BAD_VALUE else f"this can't stand here: {detail['msg']}"
            return FileError(root.locate(path), spelled(path), message)


def _unknown(path: Path) -> str:
    owner = _model_at(path[:-1])
    known = list(owner.model_fields)
    key = str(path[-1])[:40]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]}?" if near else f"it knows {', '.join(known)}"
    return f"{owner.what} has no key {key!r}: {advice}"


def _model_at(path: Path) -> type[Patch]:
    """The model that reads the mapping at `path`."""
    model: type[Patch] = _File
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), model)
    return model


def _models_in(annotation: object) -> Iterator[type[Patch]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, Patch):
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _named_twice(node: Node, path: Path) -> Iterator[FileError]:
    """Items of one list that carry one name."""
    if isinstance(node.value, dict):
        for key, value in node.value.items():
            if isinstance(value.value, list) and key in _NAMED_BY:
                yield from _twice_in(value.value, (*path, key), _NAMED_BY[key])
            yield from _named_twice(value, (*path, key))
    elif isinstance(node.value, list):
        for index, item in enumerate(node.value):
            yield from _named_twice(item, (*path, index))


def _twice_in(items: list[Node], path: Path, named_by: str) -> Iterator[FileError]:
    first: dict[str, tuple[Path, Node]] = {}
    for index, item in enumerate(items):
        named = item.value.get(named_by) if isinstance(item.value, dict) else None
        if named is None or not isinstance(named.value, str):
            continue
        name = _one_spelling(named.value) if named_by == "mac" else named.value
        if name not in first:
            first[name] = ((*path, index), named)
            continue
        there, before = first[name]
        message = (
            f"{shown(name)} is already in line {before.position.line} ({spelled(there)}): leave one of them"
        )
        yield FileError(named.position, spelled((*path, index, named_by)), message)


def _one_spelling(mac: str) -> str:
    try:
        return str(MacAddress.parse(mac))
    except BadValue:
        return mac
