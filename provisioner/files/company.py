"""The company file: YAML that says what customers and phones should be."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from provisioner.centrex.patch import BAD_VALUE, CustomerPatch, Listed, Mapped, Patch, VendorPatch
from provisioner.files.errors import FileError, FileErrors
from provisioner.files.yaml_tree import Node, Path, read_tree, spelled


class _File(Patch):
    what = "a company file"
    customers: Listed[Mapped[CustomerPatch]] = ()
    vendors: Listed[Mapped[VendorPatch]] = ()


_READER = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class CompanyFile:
    """What a company file says."""

    name: str
    customers: tuple[CustomerPatch, ...]
    vendors: tuple[VendorPatch, ...]


def read_company_file(data: bytes, name: str = "company file") -> CompanyFile:
    """The patches of a file; `name` is how messages call it. Raises `FileErrors` with all that is wrong in it."""
    root = read_tree(data, name)
    if not isinstance(root.value, dict) or not root.value:
        raise FileErrors(
            name, [FileError(root.position, "", "a company file is a mapping that begins with customers: or vendors:")]
        )
    try:
        read = _READER.validate_python(root.plain())
    except ValidationError as error:
        raise FileErrors(
            name, [_described(root, detail) for detail in error.errors(include_url=False, include_input=False)]
        ) from error
    if twice := list(_named_twice(root, read)):
        raise FileErrors(name, twice)
    return CompanyFile(name, read.customers, read.vendors)


def _described(root: Node, detail: ErrorDetails) -> FileError:
    """A validation error in our words, at its place."""
    path: Path = detail["loc"]
    kind = detail["type"]
    if path and path[-1] == "[key]":
        return FileError(root.locate_key(path[:-1]), spelled(path[:-1]), detail["msg"])
    if kind == "extra_forbidden":
        return FileError(root.locate_key(path), spelled(path), _unknown(path))
    if kind == "missing":
        owner = _model_at(path[:-1])
        return FileError(root.locate(path[:-1]), spelled(path[:-1]), f"{owner.what} needs the key {path[-1]}: add it")
    if kind == BAD_VALUE:
        return FileError(root.locate(path), spelled(path), detail["msg"])
    return FileError(root.locate(path), spelled(path), f"this can't stand here: {detail['msg']}")


def _unknown(path: Path) -> str:
    owner = _model_at(path[:-1])
    known = list(owner.model_fields)
    near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
    if near:
        return f"{owner.what} has no key {str(path[-1])[:40]!r}: did you mean {near[0]}?"
    return f"{owner.what} has no key {str(path[-1])[:40]!r}: it knows {', '.join(known)}"


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


def _named_twice(root: Node, read: _File) -> Iterator[FileError]:
    return iter(())
