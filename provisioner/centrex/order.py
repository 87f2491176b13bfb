"""The order of a customer's lists. Things with a name of their own have no order that means anything."""

from __future__ import annotations

from dataclasses import replace

from provisioner.centrex.customer import Customer


def in_order(customer: Customer) -> Customer:
    """The customer with every list by number, name or MAC; members and keys keep theirs."""
    centrex = customer.centrex
    entries = tuple(sorted(centrex.speed_dial.entries, key=lambda entry: entry.number))
    return replace(
        customer,
        centrex=replace(centrex, speed_dial=replace(centrex.speed_dial, entries=entries)),
        sites=tuple(sorted(customer.sites, key=lambda site: site.name)),
        lines=tuple(sorted(customer.lines, key=lambda line: line.number)),
        extensions=tuple(sorted(customer.extensions, key=lambda extension: extension.number)),
        hunt_groups=tuple(sorted(customer.hunt_groups, key=lambda group: group.number)),
        devices=tuple(
            replace(device, accounts=tuple(sorted(device.accounts, key=lambda account: account.account)))
            for device in sorted(customer.devices, key=lambda device: device.mac)
        ),
    )
